// The plots of the last five minutes: for every measure one for each side, with the same y axis. The pointer, or the arrow keys,
// show the values of a moment in all of them; a click on a name hides its line.

import { age, clock, count, make, put, rem, sides, titles, variable } from "./text.js";
import { laggards, past } from "./past.js";

const seconds = 300;
const tall = () => Math.round(124 * rem()); // pixels of a plot

// Powers of ten, as far as an axis reaches.
function powers(from, to) {
  const all = [];
  for (let p = from; p <= to * 1.0001; p *= 10) all.push(p);
  return all;
}
const nextPower = (v, least) => Math.max(least, 10 ** Math.ceil(Math.log10(Math.max(v, 1)) - 1e-9));

const percent = (v) => (v == null ? "–" : (v === 100 || v === 0 ? v : v.toFixed(v > 99 || v < 1 ? 2 : 1)) + " %");
const own = { color: "--own", dash: [] };

// A line is a ring of the past. "--own" is the colour of its side.
const measures = [
  {
    id: "freshness", title: "Freshness: how old is the newest event in the answer?", scale: "log", numbers: "freshness boundary", text: age,
    lines: {
      lambda: [{ ring: "freshness", label: "answer", ...own }, { ring: "batch", label: "batch view alone", color: "--soft", dash: [6, 3] }],
      kappa: [{ ring: "freshness", label: "answer", ...own }],
    },
    range: (most) => [1, nextPower(most, 10_000)],
    splits: (range) => powers(range[0], range[1]),
  },
  {
    id: "accuracy", title: "Accuracy: how many windows are as in the truth?", scale: "share", numbers: "accuracy late wrong", text: percent, stacked: true,
    lines: Object.fromEntries(sides.map((side) => [side, [
      { ring: "exact", label: "exact", ...own },
      { ring: "lacksLate", label: "lack late readings", color: "--lacks-late", dash: [2, 3] },
      { ring: "missing", label: "missing", color: "--missing", dash: [8, 3, 2, 3] },
      { ring: "double", label: "double", color: "--double", dash: [1, 3] },
      { ring: "other", label: "other", color: "--different", dash: [10, 4] },
    ]])),
    range: (most, least) => [[99, 95, 90, 75, 50].find((low) => least > low) || 0, 100],
    splits: ([low]) => [0, 1, 2, 3, 4].map((i) => low + i * (100 - low) / 4),
  },
  {
    id: "lag", title: "Lag: how many events are not processed yet?", scale: "zero", numbers: "lag", text: count,
    lines: Object.fromEntries(sides.map((side) => [side, [{ ring: "lag", label: "answer", ...own }].concat(
      laggards[side].map((part, i) => ({ ring: "lag" + i, label: part.split(" ")[1], color: ["--soft", "--other", "--lacks-late"][i], dash: [[6, 3], [2, 3], [8, 3, 2, 3]][i] })))])),
    range: (most) => [0, nextPower(most, 1000)],
    splits: (range) => [0].concat(powers(10, range[1])),
  },
  {
    id: "visible", title: "How long until an event is in an answer?", scale: "log", numbers: "visible", text: age,
    lines: Object.fromEntries(sides.map((side) => [side, [
      { ring: "p99", label: "p99", ...own }, { ring: "p50", label: "p50", color: "--own", dash: [6, 3] },
    ]])),
    range: (most) => [1, nextPower(most, 1000)],
    splits: (range) => powers(range[0], range[1]),
  },
];

const distributions = { log: { distr: 3 }, share: { distr: 1 }, zero: { distr: 4, asinh: 1 } };

// stack puts each array on top of those before it.
function stack(data) {
  for (let line = 2; line < data.length; line++) {
    for (let i = 0; i < data[line].length; i++) {
      if (data[line][i] != null && data[line - 1][i] != null) data[line][i] += data[line - 1][i];
    }
  }
}

class Plot {
  constructor(measure, side, parent) {
    this.measure = measure;
    this.side = side;
    this.lines = measure.lines[side];
    this.figure = parent.appendChild(make("figure", "plot " + side));
    this.figure.appendChild(make("figcaption", "", titles[side]));
    this.box = this.figure.appendChild(make("div", "canvas"));
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "img");
    this.data = [[], ...this.lines.map(() => [])];
    this.hidden = new Set();
    this.at = null; // the moment under the pointer
    this.visible = true;
    this.legend();
    this.box.addEventListener("keydown", (e) => this.key(e));
    this.box.addEventListener("blur", () => this.plot.setCursor({ left: -10, top: -10 }, true, true));
    this.build();
    this.say();
  }

  legend() {
    const list = this.figure.appendChild(make("ul", "legend"));
    this.time = list.appendChild(make("li", "time", "now"));
    this.values = this.lines.map((line, i) => {
      const button = list.appendChild(make("li")).appendChild(make("button"));
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      const sample = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      sample.setAttribute("viewBox", "0 0 22 8");
      sample.setAttribute("aria-hidden", "true");
      const stroke = sample.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
      stroke.setAttribute("d", "M0 4h22");
      stroke.setAttribute("stroke-dasharray", line.dash.join(" ") || "none");
      stroke.setAttribute("class", "stroke " + line.color.slice(2));
      button.append(sample, line.label + " ");
      button.addEventListener("click", () => this.toggle(i, button));
      return button.appendChild(make("b", "", "–"));
    });
  }

  toggle(i, button) {
    const shown = this.hidden.has(i);
    if (shown) this.hidden.delete(i); else this.hidden.add(i);
    button.setAttribute("aria-pressed", String(shown));
    this.plot.setSeries(i + 1, { show: shown });
  }

  build() {
    if (this.plot) this.plot.destroy();
    const ink = variable("--ink"), rule = variable("--rule");
    const hue = (name) => variable(name === "--own" ? "--" + this.side : name);
    const m = this.measure;
    const series = this.lines.map((line, i) => ({
      stroke: hue(line.color), width: i === 0 ? 2.5 : 1.5, dash: line.dash, points: { show: false }, show: !this.hidden.has(i),
    }));
    const wash = (colour, share) => colour + Math.round(share * 255).toString(16).padStart(2, "0");
    const bands = m.stacked ? this.lines.slice(1).map((line, i) => ({ series: [i + 2, i + 1], fill: wash(hue(line.color), 0.45) })) : undefined;
    if (m.stacked) Object.assign(series[0], { fill: wash(hue("--own"), 0.15) });
    const axis = { stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { show: false }, font: Math.round(12 * rem()) + "px system-ui, sans-serif" };
    this.plot = new uPlot({
      width: this.box.clientWidth || 300, height: tall(), legend: { show: false }, padding: [8, 14, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: "live", setSeries: false }, points: { size: 6 } },
      scales: {
        x: { time: false, range: () => [m.now - seconds, m.now] },
        y: { ...distributions[m.scale], range: () => m.shared },
      },
      axes: [
        { ...axis, size: 18 * rem(), gap: 2, splits: () => [5, 4, 3, 2, 1, 0].map((n) => m.now - 60 * n),
          values: (u, at) => at.map((v) => (v === m.now ? "now" : m.now - v > 299 ? "" : "−" + Math.round((m.now - v) / 60) + " min")) },
        { ...axis, size: 58 * rem(), gap: 4, splits: () => m.splits(m.shared), filter: (u, at) => at, values: (u, at) => at.map((v) => m.text(v).replace(/\.0+(?=[ kMG])/, "")) },
      ],
      series: [{}, ...series], bands,
      hooks: { drawClear: [(u) => this.beneath(u)], setCursor: [(u) => this.point(u)] },
    }, this.data, this.box);
  }

  // beneath draws the bands, and the marks along the axis.
  beneath(u) {
    const ctx = u.ctx, left = u.bbox.left, right = left + u.bbox.width, bottom = u.bbox.top + u.bbox.height;
    ctx.save();
    ctx.fillStyle = variable("--band");
    ctx.globalAlpha = 0.28;
    for (const b of past.bands) {
      if (b.side && b.side !== this.side) continue;
      const from = Math.max(left, u.valToPos(b.from, "x", true)), to = Math.min(right, u.valToPos(b.to, "x", true));
      if (to > left && from < right) ctx.fillRect(from, u.bbox.top, Math.max(2, to - from), u.bbox.height);
    }
    ctx.globalAlpha = 1;
    ctx.fillStyle = variable("--ink");
    for (const mark of past.marks) {
      if (mark.side && mark.side !== this.side) continue;
      const x = u.valToPos(mark.at, "x", true);
      if (x < left || x > right) continue;
      ctx.beginPath();
      if (mark.tall) ctx.rect(x - 0.5, u.bbox.top, 1, u.bbox.height);
      const w = 4 * devicePixelRatio;
      ctx.moveTo(x - w, bottom);
      ctx.lineTo(x + w, bottom);
      ctx.lineTo(x, bottom - 1.6 * w);
      ctx.fill();
    }
    ctx.restore();
  }

  // point shows the values under the pointer, or the newest.
  point(u) {
    const i = u.cursor.idx;
    this.at = u.cursor.left >= 0 && i != null ? i : null;
    this.tell();
  }

  tell() {
    const times = this.data[0], i = this.at ?? times.length - 1;
    const at = times[i];
    put(this.time, at == null ? "now" : this.at == null ? "now" : [clock(1000 * at), ...this.near(at)].join(", "));
    this.lines.forEach((line, n) => {
      let v = this.data[n + 1][i];
      if (this.measure.stacked && n > 0 && v != null) v -= this.data[n][i] ?? 0;
      put(this.values[n], v == null ? "–" : this.measure.text(this.measure.stacked ? Math.max(0, Math.round(1e6 * v) / 1e6) : v));
    });
  }

  // near names the bands and marks of a moment.
  near(at) {
    const mine = (x) => !x.side || x.side === this.side;
    return past.bands.filter((b) => mine(b) && at >= b.from - 0.5 && at <= b.to + 0.5)
      .concat(past.marks.filter((m) => mine(m) && Math.abs(at - m.at) < 1)).slice(0, 3).map((x) => x.text);
  }

  key(e) {
    const step = { ArrowLeft: -4, ArrowRight: 4, PageUp: -40, PageDown: 40 }[e.key];
    if (!step || !this.data[0].length) return;
    e.preventDefault();
    const i = Math.max(0, Math.min(this.data[0].length - 1, (this.at ?? this.data[0].length - 1) + step));
    this.plot.setCursor({ left: this.plot.valToPos(this.data[0][i], "x"), top: 10 }, true, true); // in all plots
  }

  // load takes the past into the arrays that are drawn, and returns the least and the most of what is shown.
  load() {
    past.copy(past.at, this.data[0]);
    this.lines.forEach((line, i) => past.copy(past[this.side][line.ring], this.data[i + 1]));
    if (this.measure.stacked) stack(this.data);
    let least = Infinity, most = -Infinity;
    for (let line = 1; line < this.data.length; line++) {
      if (this.hidden.has(line - 1) && !this.measure.stacked) continue;
      for (const v of this.data[line]) {
        if (v == null) continue;
        if (v < least) least = v;
        if (v > most) most = v;
      }
    }
    return [least, most];
  }

  draw() {
    const left = this.plot.cursor.left;
    this.plot.setData(this.data);
    if (left >= 0 && this.at != null) this.plot.setCursor({ left, top: 10 }); // the pointer stays, time goes on under it
    else this.tell();
  }

  say() {
    const values = this.lines.map((line, i) => line.label + " " + this.values[i].textContent).join(", ");
    this.box.setAttribute("aria-label", `${titles[this.side]}. ${this.measure.title} Now: ${values}. Arrow keys go through the time.`);
  }

  resize() {
    const width = this.box.clientWidth;
    if (width && (width !== this.plot.width || tall() !== this.plot.height)) this.plot.setSize({ width, height: tall() });
  }
}

export class Plots {
  constructor(section) {
    this.seen = new IntersectionObserver((entries) => {
      for (const e of entries) this.rows.find((r) => r.row === e.target).visible = e.isIntersecting;
      this.draw();
    }, { rootMargin: "50px" });
    this.rows = measures.map((measure) => {
      const row = section.appendChild(make("div", "row"));
      row.dataset.number = measure.numbers;
      row.appendChild(make("h3", "", measure.title));
      const pair = row.appendChild(make("div", "pair"));
      measure.now = Date.now() / 1000;
      measure.shared = measure.range(1, 100);
      return { row, measure, visible: true, plots: sides.map((side) => new Plot(measure, side, pair)) };
    });
    for (const { row } of this.rows) this.seen.observe(row);
    new ResizeObserver(() => this.plots().forEach((p) => p.resize())).observe(section);
    const key = section.appendChild(make("p", "key"));
    key.appendChild(make("span")).id = "window";
    key.append("▲ a new batch view, or a moment that the log beside names. Grey: while something was down or injected. "
      + "Both sides have the same scale. Point at a plot to read the values of a moment; click a name to hide its line.");
  }

  plots() {
    return this.rows.flatMap((r) => r.plots);
  }

  // draw draws what is seen, or all.
  draw(all) {
    if (!past.size) return;
    const now = past.at[(past.next - 1 + past.at.length) % past.at.length];
    for (const { measure, visible, plots } of this.rows) {
      if (!visible && !all) continue;
      const spans = plots.map((p) => p.load());
      measure.now = now;
      const least = Math.min(...spans.map((s) => s[0])), most = Math.max(...spans.map((s) => s[1]));
      measure.shared = measure.range(most, least);
      for (const p of plots) p.draw();
    }
  }

  say() {
    for (const p of this.plots()) p.say();
  }

  rebuild() {
    for (const p of this.plots()) p.build();
  }
}
