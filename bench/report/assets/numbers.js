// Computes the answer for the reader's own numbers from the model that the page carries: the same sums of products that
// "lambdakappa decide" evaluates, and the same words. What the form says stands in the page's address, so that it can be
// sent to somebody.
"use strict";
(function () {
  const source = document.getElementById("model");
  if (!source) return;
  const model = JSON.parse(source.textContent);
  const form = document.getElementById("inputs");
  const byName = Object.fromEntries(model.inputs.map((i) => [i.name, i]));

  // Three significant digits, as the program prints them.
  function number(x) {
    const a = Math.abs(x);
    if (x === 0) return "0";
    if (a >= 1000) return Math.round(x).toLocaleString("en-US");
    if (a < 0.0001) return Number(x.toPrecision(3)).toExponential().replace(/e-(\d)$/, "e-0$1");
    if (a < 0.001) return String(Number(x.toPrecision(3)));
    const scale = Math.pow(10, 2 - Math.floor(Math.log10(a)));
    return String(Math.round(x * scale) / scale);
  }

  function withUnit(x, unit) { return (number(x) + " " + unit).trim(); }

  function sum(terms, numbers) {
    const total = { value: 0, low: 0, high: 0 };
    for (const t of terms || []) {
      const c = t.coefficient ? model.coefficients[t.coefficient] : { value: 1, low: 1, high: 1 };
      let product = t.constant;
      for (const [name, power] of Object.entries(t.powers || {})) product *= Math.pow(numbers[name], power);
      total.value += c.value * product;
      total.low += c.low * product;
      total.high += c.high * product;
    }
    return total;
  }

  function says(e, first) {
    if (first.high === 0) return e.high === 0 ? "no difference" : "Lambda has none";
    const low = e.low / first.high, high = e.high / first.low;
    const interval = "x " + number(e.value / first.value) + " (" + bounds(e.value / first.value, low, high) + ")";
    if (low >= 1 - model.margin && high <= 1 + model.margin) return "no difference, " + interval;
    return low <= 1 && high >= 1 ? "undecided, " + interval : interval;
  }

  // The bounds of a ratio, as far as they say something: what is divided by a bound near 0 is as large as one likes.
  function bounds(value, low, high) {
    const farOff = 100, below = low * farOff >= value, above = high <= value * farOff;
    if (below && above) return number(low) + " to " + number(high);
    if (below) return "at least " + number(low);
    return above ? "at most " + number(high) : "by nobody knows how much";
  }

  // Where two sums cross as an input grows, by halving. Which, when they do not, says which is below all the way: -1 for left.
  function crossing(c, numbers) {
    const input = byName[c.over];
    const gap = (x) => {
      const there = Object.assign({}, numbers, { [c.over]: x });
      return sum(c.left, there).value - sum(c.right, there).value;
    };
    let low = input.least * input.in_unit, high = input.most * input.in_unit;
    const below = gap(low) < 0;
    if (below === gap(high) < 0) return { which: below ? -1 : 1 };
    for (let n = 0; n < 60; n++) {
      const middle = (low + high) / 2;
      if ((gap(middle) < 0) === below) low = middle; else high = middle;
    }
    return { at: (low + high) / 2, which: 0 };
  }

  function crossed(c, numbers) {
    const i = byName[c.over], found = crossing(c, numbers);
    if (found.which === 0) return c.says + " " + withUnit(found.at / i.in_unit, i.unit);
    return (found.which < 0 ? c.below : c.above) + " (from " + number(i.least) + " to " + withUnit(i.most, i.unit) + ")";
  }

  function beyond(numbers) {
    return model.reach.map((r) => [r, sum([r.of], numbers).value]).filter(([r, x]) => x > r.most).map(([r, x]) =>
      "Beyond what was measured: " + r.what + " is " + number(x) + ", " + number(x / r.most) +
      " times the most that a run has had (" + number(r.most) + "). From there on the lines are extrapolated.");
  }

  function read() {
    const numbers = {};
    for (const i of model.inputs) {
      const field = form.elements[i.name], x = Number(field.value);
      const ok = field.value !== "" && x >= i.least && x <= i.most;
      field.setCustomValidity(ok ? "" : "takes " + i.least + " to " + i.most);
      numbers[i.name] = (ok ? x : i.default) * i.in_unit;
    }
    return numbers;
  }

  function list(id, lines) {
    const ul = document.getElementById(id);
    ul.textContent = "";
    for (const line of lines) ul.appendChild(document.createElement("li")).textContent = line;
  }

  const fixed = Array.from(document.querySelectorAll("#limits li")).map((li) => li.textContent).filter((t) => !t.startsWith("Beyond"));

  function show() {
    const numbers = read();
    const rows = document.querySelectorAll("#answer tbody tr");
    model.quantities.forEach((q, i) => {
      const first = sum(q.sums[0], numbers);
      rows[i].querySelectorAll("td").forEach((cell, column) => {
        const e = sum(q.sums[column], numbers);
        cell.textContent = withUnit(e.value, q.unit) + (column ? "; " + says(e, first) : "");
      });
    });
    list("turns", model.crossings.map((c) => crossed(c, numbers)));
    list("limits", beyond(numbers).concat(fixed));
    drawPrice(numbers);
  }

  // The price of a month over history, from nothing to twice what the form says.
  let price = null;
  function drawPrice(numbers) {
    const figure = document.getElementById("price");
    const last = model.quantities[model.quantities.length - 1], day = byName.history.in_unit;
    const xs = Array.from({ length: 101 }, (_, n) => (n / 50) * (numbers.history / day));
    const data = [xs].concat(last.sums.map((s) => xs.map((x) => sum(s, Object.assign({}, numbers, { history: x * day })).value)));
    figure.hidden = false;
    if (price) { price.setData(data); return; }
    price = window.reportPlot(figure.querySelector(".live"), data, model.columns, "days of history", "a month", () => read().history / day);
  }

  // A slider is a number on a logarithmic scale. A step has to show in two digits, or arrow keys would seem to do nothing.
  const steps = 200;
  function toSlider(i, x) { return steps * Math.log(x / i.least) / Math.log(i.most / i.least); }
  function fromSlider(i, at) { return Number((i.least * Math.pow(i.most / i.least, at / steps)).toPrecision(2)); }

  const sliders = Array.from(form.querySelectorAll(".slider"));
  function moveSliders() {
    for (const s of sliders) {
      const i = byName[s.dataset.for], x = Number(form.elements[i.name].value);
      s.value = toSlider(i, Math.min(Math.max(x, i.least), i.most));
    }
  }
  for (const s of sliders) {
    s.addEventListener("input", () => {
      form.elements[s.dataset.for].value = fromSlider(byName[s.dataset.for], Number(s.value));
      show();
    });
  }
  form.addEventListener("input", (event) => { if (!event.target.classList.contains("slider")) { moveSliders(); show(); } });
  form.addEventListener("change", () => {
    const said = model.inputs.filter((i) => Number(form.elements[i.name].value) !== i.default)
      .map((i) => i.name + "=" + encodeURIComponent(form.elements[i.name].value));
    history.replaceState(null, "", said.length ? "#numbers:" + said.join("&") : "#numbers");
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  if (location.hash.startsWith("#numbers:")) {
    for (const [name, value] of new URLSearchParams(location.hash.slice("#numbers:".length))) {
      if (!byName[name]) continue;
      form.elements[name].value = value;
      const hidden = form.elements[name].closest("details");
      if (hidden) hidden.open = true;
    }
    document.getElementById("numbers").scrollIntoView();
  }
  moveSliders();
  show();
})();
