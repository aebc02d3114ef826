// Both architectures as the slides draw them, with what each part is doing. The boxes are named as the server names its parts.

import { age, bytes, count, make, put } from "./text.js";

const svgNS = "http://www.w3.org/2000/svg";
const width = 94;

// The places of the boxes, in a drawing that is wide and in one for a phone, which goes down and back.
const wide = (column, y) => ({ x: 24 + column * 121, y });
const narrow = (column, y) => ({ x: 24 + column * 112, y });
const sizes = { wide: { width: wide(5, 0).x + width + 2, height: 162 }, narrow: { width: narrow(2, 0).x + width + 2, height: 262 } };

const cores = (n) => n.toFixed(2) + " cores";
const behind = (part) => (part.lag < 0 ? "" : "lag " + count(part.lag));

// takes is what a process takes.
const takes = (t, part) => [behind(part), cores(part.cpu), bytes(part.rss)];

const logLines = (tick, part) => [count(tick.log.end) + " events", bytes(tick.disk.log), part ? cores(part.cpu) : ""];

// A box is a process, or (kept) something that holds what a process writes: that is up as long as there is a disk.
const boxes = {
  lambda: [
    { id: "log", part: "broker", title: "log", wide: wide(0, 45), narrow: narrow(0, 20), kept: true, lines: logLines },
    { id: "ingest", part: "lambda ingest", title: "ingest", wide: wide(1, 2), narrow: narrow(1, 2), lines: takes },
    { id: "master", title: "master", wide: wide(2, 2), narrow: narrow(2, 2), kept: true, lines: (t) => ["dataset", "Parquet", bytes(t.disk.lambda)] },
    { id: "batch", part: "lambda batch", title: "batch", wide: wide(3, 2), narrow: narrow(2, 94), lines: takes },
    { id: "view", title: "batch view", wide: wide(4, 2), narrow: narrow(1, 94), kept: true, number: "generation boundary", lines: (t) => [
      "no. " + count(t.sides.lambda.generation), age(t.sides.lambda.boundary_age_ms) + " old"] },
    { id: "speed", part: "lambda speed", title: "speed", wide: wide(3, 88), narrow: narrow(0, 188), lines: takes },
    { id: "serving", part: "lambda serve", title: "serving", wide: wide(5, 45), narrow: narrow(1, 188), lines: takes },
  ],
  kappa: [
    { id: "log", part: "broker", title: "log", wide: wide(0, 45), narrow: narrow(0, 48), kept: true, lines: logLines },
    { id: "process", part: "kappa process", title: "processor", wide: wide(2, 2), narrow: narrow(1, 2), lines: takes },
    { id: "changelog", title: "changelog", wide: wide(3.5, 45), narrow: narrow(2, 48), kept: true, lines: () => ["compacted", "topic"] },
    { id: "replay", part: "kappa replay", title: "replay", wide: wide(2, 88), narrow: narrow(1, 94), seldom: true, lines: takes },
    { id: "serving", part: "kappa serve", title: "serving", wide: wide(5, 45), narrow: narrow(2, 160), lines: takes },
  ],
};

// An arrow leads from box to box ("" is the world outside). Its rate is that of a part, or what the log acknowledges.
const arrows = {
  lambda: [
    { from: "", to: "log" },
    { from: "log", to: "ingest", part: "lambda ingest" },
    { from: "ingest", to: "master", part: "lambda ingest" },
    { from: "master", to: "batch", part: "lambda batch" },
    { from: "batch", to: "view", part: "lambda batch" },
    { from: "view", to: "serving", part: "lambda batch" },
    { from: "log", to: "speed", part: "lambda speed" },
    { from: "speed", to: "serving", part: "lambda speed" },
    { from: "batch", to: "speed", name: "hand-over" }, // not in the narrow one, where they are far apart
  ],
  kappa: [
    { from: "", to: "log" },
    { from: "log", to: "process", part: "kappa process" },
    { from: "process", to: "changelog", part: "kappa process" },
    { from: "log", to: "replay", part: "kappa replay", seldom: true },
    { from: "replay", to: "changelog", part: "kappa replay", seldom: true },
    { from: "changelog", to: "serving", part: "kappa process" },
  ],
};

const high = 72;

function element(name, attributes, parent) {
  const e = document.createElementNS(svgNS, name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  if (parent) parent.appendChild(e);
  return e;
}

// route is the way of an arrow, as points: to the box beside, or the one below. Ways that part or meet bend near the box that
// several share.
function route(from, to) {
  if (!from) return [{ x: 0, y: to.y + high / 2 }, { x: to.x - 1, y: to.y + high / 2 }];
  if (from.x === to.x) return [{ x: from.x + width / 2, y: from.y + high }, { x: to.x + width / 2, y: to.y - 1 }];
  const forth = to.x > from.x;
  const a = { x: forth ? from.x + width : from.x, y: from.y + high / 2 }, b = { x: forth ? to.x - 1 : to.x + width + 1, y: to.y + high / 2 };
  if (a.y === b.y) return [a, b];
  const bend = Math.min(Math.abs(b.x - a.x) - 12, 40), straight = 10; // the head of an arrow points along it
  const start = from.id === "log" ? a.x : b.x - bend - straight;
  const points = [a];
  for (let i = 0; i <= 24; i++) {
    const t = i / 24;
    points.push({ x: start + t * bend, y: a.y + t * t * (3 - 2 * t) * (b.y - a.y) });
  }
  return [...points, b];
}

export class Diagram {
  constructor(side, title, parent) {
    this.side = side;
    this.title = title;
    this.svg = element("svg", { role: "img", class: "diagram" }, parent);
    this.svg.setAttribute("aria-label", title);
    this.layout("wide");
  }

  // layout draws the diagram anew, wide or narrow.
  layout(name) {
    this.layedOut = name;
    this.size = sizes[name];
    this.boxes = new Map();
    this.svg.textContent = "";
    this.svg.setAttribute("viewBox", `0 0 ${this.size.width} ${this.size.height}`);
    const placed = Object.fromEntries(boxes[this.side].map((b) => [b.id, { ...b, ...b[name] }]));
    this.arrows = arrows[this.side].filter((a) => name === "wide" || !a.name).map((a) => ({ ...a, points: route(placed[a.from], placed[a.to]) }));
    for (const a of this.arrows) this.arrow(a);
    for (const b of Object.values(placed)) this.box(b);
    this.burst = element("text", { x: 2, y: 16, class: "burst" }, this.svg);
  }

  arrow(a) {
    const d = "M" + a.points.map((p) => p.x.toFixed(1) + " " + p.y.toFixed(1)).join("L");
    const end = a.points[a.points.length - 1], before = a.points[a.points.length - 2];
    const head = before.x === end.x ? "l-4 -7h8z" : before.x < end.x ? "l-7 -4v8z" : "l7 -4v8z";
    element("path", { d, class: a.seldom || a.name ? "way seldom" : "way" }, this.svg);
    element("path", { d: `M${end.x} ${end.y}${head}`, class: "head" }, this.svg);
    if (a.name) element("text", { x: end.x + 7, y: (a.points[0].y + end.y) / 2 + 4, class: "aside" }, this.svg).textContent = a.name;
  }

  box(b) {
    const g = element("g", { class: "box" }, this.svg);
    if (b.number) g.dataset.number = b.number;
    else if (!b.kept) g.dataset.number = "cpu memory";
    element("rect", { x: b.x, y: b.y, width, height: high, rx: b.kept ? 14 : 3 }, g);
    element("path", { d: `M${b.x} ${b.y}l${width} ${high}M${b.x + width} ${b.y}l${-width} ${high}`, class: "strike" }, g);
    const texts = [b.title, "", "", ""].map((text, i) => {
      const t = element("text", { x: b.x + width / 2, y: b.y + 17 + i * 16, class: i ? "" : "title" }, g);
      t.textContent = text;
      return t;
    });
    this.boxes.set(b.id, { g, texts, box: b, state: "" });
  }

  // show shows a tick.
  show(tick) {
    for (const shown of this.boxes.values()) {
      const box = shown.box, part = box.part && tick.parts[box.part];
      const state = !box.part ? "up" : part ? part.state : "none";
      if (state !== shown.state) {
        shown.state = state;
        shown.g.setAttribute("class", "box " + state + (box.kept ? " kept" : ""));
      }
      const lines = this.lines(box, state, part, tick);
      for (let i = 1; i < shown.texts.length; i++) put(shown.texts[i], lines[i - 1] || "");
    }
    put(this.burst, tick.burst ? tick.burst + "!" : "");
  }

  lines(box, state, part, tick) {
    if (state === "none") return box.seldom ? ["if the logic", "changes"] : ["not running"];
    if (state === "down") return ["down"];
    const lines = box.lines(tick, part);
    if (state === "starting") lines[0] = "starting…";
    if (state === "busy" && !lines[0]) lines[0] = "at work";
    return lines;
  }

  // say is the text alternative.
  say() {
    const all = [...this.boxes.values()].map((s) => s.box.title + " " + (s.state === "none" ? "not there" : s.state));
    this.svg.setAttribute("aria-label", this.title + ": " + all.join(", ") + ". The table of the parts has the numbers.");
  }
}

// rateOf is the measured rate of an arrow, in events/s.
export function rateOf(arrow, tick) {
  if (arrow.name) return 0;
  if (!arrow.part) return tick.acked;
  const part = tick.parts[arrow.part];
  return part && (part.state === "up" || part.state === "busy") ? part.rate : 0;
}

// PartsTable is the parts for who cannot see the diagrams, and those that the diagrams leave out.
export class PartsTable {
  constructor(table) {
    this.body = table.tBodies[0];
    this.rows = new Map();
  }

  show(tick, order) {
    const names = [...new Set([...order, ...Object.keys(tick.parts)])];
    for (const [name, row] of this.rows) {
      if (!names.includes(name)) {
        row.remove();
        this.rows.delete(name);
      }
    }
    for (const name of names) this.row(name, tick.parts[name]);
  }

  row(name, part) {
    let row = this.rows.get(name);
    if (!row) {
      row = this.body.appendChild(make("tr"));
      row.appendChild(make("th", "", name)).scope = "row";
      for (let i = 0; i < 5; i++) row.appendChild(make("td"));
      this.rows.set(name, row);
    }
    const cells = part
      ? [part.state, count(part.rate), part.lag < 0 ? "–" : count(part.lag), part.cpu.toFixed(2), bytes(part.rss)]
      : ["not there", "–", "–", "–", "–"];
    row.classList.toggle("down", part?.state === "down");
    cells.forEach((text, i) => put(row.cells[i + 1], text));
  }
}
