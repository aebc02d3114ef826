// Draws the line plots again with uPlot: values under the pointer, a click on a name in the legend
// hides its line, a drag zooms, a double click zooms out. Without script the drawings stay.
"use strict";
(function () {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const dashes = [null, null, [6, 3], [2, 3], [8, 3, 2, 3], [1, 3], [10, 4], [4, 4]];

  // The colours are those of the drawing, so that they are written down once, in plot.css.
  function colour(figure, hue) {
    const probe = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    probe.setAttribute("class", "f" + hue);
    figure.querySelector("svg").appendChild(probe);
    const fill = getComputedStyle(probe).fill;
    probe.remove();
    return fill;
  }

  function variable(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function shown(v) {
    if (v == null) return "";
    return v >= 1000 ? Math.round(v).toLocaleString("en") : String(Number(v.toPrecision(3)));
  }

  function percent(nines) {
    const p = 100 * (1 - Math.pow(10, -nines));
    return p.toFixed(Math.max(0, Math.ceil(nines) - 1)) + " %";
  }

  function bands(data) {
    return function (u) {
      const ctx = u.ctx;
      ctx.save();
      ctx.fillStyle = variable("--band");
      ctx.globalAlpha = 0.25;
      for (const b of data.bands || []) {
        const from = Math.max(u.valToPos(b.from, "x", true), u.bbox.left);
        const to = Math.min(Math.max(u.valToPos(b.to, "x", true), from + 2), u.bbox.left + u.bbox.width);
        if (to > from) ctx.fillRect(from, u.bbox.top, to - from, u.bbox.height);
      }
      ctx.restore();
    };
  }

  // The bands under the pointer, in the line of the legend that says the time.
  function xText(data, v) {
    if (v == null) return "";
    if (data.xTicks) return percent(v);
    if (data.sweep) return shown(v) + (data.xUnit ? " " + data.xUnit : "");
    const near = (data.bands || []).filter((b) => v >= b.from - 0.2 && v <= Math.max(b.to, b.from) + 0.2);
    return [shown(v) + " s"].concat(near.map((b) => b.name)).join(", ");
  }

  // Lines have samples at moments of their own: each shows the value nearest to the pointer.
  function nearest(u, line, at) {
    const ys = u.data[line];
    for (let d = 0; d !== ys.length; d++) {
      if (ys[at - d] != null) return at - d;
      if (ys[at + d] != null) return at + d;
    }
    return at;
  }

  function axis(name, ink, rule) {
    return { label: name, stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule, width: 1 } };
  }

  function options(figure, data, width) {
    const ink = variable("--ink"), rule = variable("--rule");
    const x = axis(data.x, ink, rule), y = axis(data.y, ink, rule);
    y.size = 60;
    if (data.xTicks) {
      x.splits = (u) => data.xTicks.map((t) => t.at).filter((at) => at <= u.scales.x.max);
      x.values = (u, at) => at.map((v) => (data.xTicks.find((t) => t.at === v) || { text: "" }).text);
    }
    if (data.log) y.values = (u, at) => at.map((v) => (v == null ? "" : /^[1]0*(\.|$)|^0\.0*1$/.test(String(v)) ? shown(v) : ""));
    const lines = data.lines.map((l) => ({
      label: l.name, stroke: colour(figure, l.hue), dash: l.style === "dashed" ? [3, 4] : dashes[l.hue],
      width: l.style === "dots" ? 0 : 2, spanGaps: true,
      points: { show: l.style === "dots", size: 6, fill: colour(figure, l.hue) }, value: (u, v) => shown(v) + (v == null ? "" : " " + data.y),
    }));
    return {
      width: width, height: Math.max(240, Math.min(340, width * 0.55)),
      cursor: { y: false, focus: { prox: 24 }, dataIdx: nearest }, focus: { alpha: 0.35 },
      scales: { x: { time: false }, y: { distr: data.log ? 3 : 1 } },
      legend: { markers: { dash: (u, i) => ({ dashed: "dashed", dots: "dotted" }[(data.lines[i - 1] || {}).style] || "solid") } },
      axes: [x, y], series: [{ label: data.xTicks ? "share" : data.sweep ? "at" : "time", value: (u, v) => xText(data, v) }].concat(lines),
      hooks: { drawClear: [bands(data)] },
    };
  }

  function draw(figure) {
    const live = figure.querySelector(".live");
    const data = JSON.parse(figure.querySelector("script.lines").textContent);
    const tables = data.lines.map((l) => [l.points.map((p) => p[0]), l.points.map((p) => p[1])]);
    live.hidden = false;
    live.textContent = "";
    figure.querySelector(".drawing").style.display = "";
    const plot = new uPlot(options(figure, data, figure.clientWidth), uPlot.join(tables), live);
    figure.querySelector(".drawing").style.display = "none";
    return plot;
  }

  // A plot of lines over one axis, for numbers.js: the colours of the three columns, and a mark at a place.
  window.reportPlot = function (element, data, names, xName, yName, mark) {
    const ink = variable("--ink"), rule = variable("--rule");
    const hues = ["--lambda", "--kappa", "--other"];
    const plot = new uPlot({
      width: element.parentElement.clientWidth, height: 260, cursor: { y: false },
      scales: { x: { time: false }, y: { range: (u, low, high) => [0, high * 1.05 || 1] } },
      axes: [axis(xName, ink, rule), Object.assign(axis(yName, ink, rule), { size: 70 })],
      series: [{ label: xName, value: (u, v) => shown(v) }].concat(names.map((name, i) => (
        { label: name, stroke: variable(hues[i]), width: 2, dash: dashes[i + 1], value: (u, v) => shown(v) }))),
      hooks: { drawClear: [(u) => {
        const at = u.valToPos(mark(), "x", true);
        u.ctx.fillStyle = variable("--band");
        u.ctx.fillRect(at - 1, u.bbox.top, 2, u.bbox.height);
      }] },
    }, data, element);
    addEventListener("resize", () => plot.setSize({ width: element.parentElement.clientWidth, height: 260 }));
    return plot;
  };

  // What is wider than the window is scrolled with the keyboard too; what is not is no stop on the way.
  function reach() {
    for (const box of document.querySelectorAll(".wide, .drawing, .code")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; else box.removeAttribute("tabindex");
    }
  }

  const figures = Array.from(document.querySelectorAll("figure")).filter((f) => f.querySelector("script.lines"));
  let plots = figures.map(draw);
  dark.addEventListener("change", () => { plots.forEach((p) => p.destroy()); plots = figures.map(draw); });
  reach();
  addEventListener("resize", reach);
  document.addEventListener("toggle", reach, true); // what is closed has no width
  addEventListener("resize", () => plots.forEach((p, i) => {
    const width = figures[i].clientWidth;
    p.setSize({ width: width, height: Math.max(240, Math.min(340, width * 0.55)) });
  }));
})();
