// Dots that run along the arrows of a diagram, as many as events are measured there. Nothing is allocated from frame to frame.

import { rateOf } from "./diagram.js";
import { variable } from "./text.js";

const most = 250; // dots of one diagram
const steps = 64; // places of an arrow that are worked out beforehand
const speed = 90; // units of the drawing a second
const perSecond = 5; // dots a second on an arrow with the nominal rate
const mostPerSecond = 50;

export class Flow {
  constructor(diagram, parent) {
    this.diagram = diagram;
    this.canvas = parent.appendChild(document.createElement("canvas"));
    this.canvas.setAttribute("aria-hidden", "true");
    this.context = this.canvas.getContext("2d");
    this.arrow = new Uint8Array(most); // of each dot
    this.at = new Float32Array(most); // and how far along it is, 0 to 1
    this.follow();
  }

  // follow takes the arrows of the diagram as they are now.
  follow() {
    this.arrows = this.diagram.arrows;
    const n = this.arrows.length;
    this.places = new Float32Array(n * (steps + 1) * 2); // x, y
    this.pace = new Float32Array(n); // arrows a second
    this.emits = new Float32Array(n); // dots a second
    this.owed = new Float32Array(n);
    this.dots = 0;
    this.arrows.forEach((a, i) => this.survey(a.points, i));
    this.resize();
  }

  // survey divides an arrow into steps of equal length.
  survey(points, n) {
    const lengths = points.slice(1).map((p, i) => Math.hypot(p.x - points[i].x, p.y - points[i].y));
    const whole = lengths.reduce((a, b) => a + b, 0);
    this.pace[n] = speed / whole;
    for (let s = 0, i = 0, before = 0; s <= steps; s++) {
      const far = whole * s / steps;
      while (i < lengths.length - 1 && before + lengths[i] < far) before += lengths[i++];
      const t = lengths[i] ? (far - before) / lengths[i] : 0, k = (n * (steps + 1) + s) * 2;
      this.places[k] = points[i].x + t * (points[i + 1].x - points[i].x);
      this.places[k + 1] = points[i].y + t * (points[i + 1].y - points[i].y);
    }
  }

  resize() {
    const box = this.canvas.getBoundingClientRect();
    const scale = Math.min(2, devicePixelRatio || 1);
    this.canvas.width = Math.max(1, Math.round(box.width * scale));
    this.canvas.height = Math.max(1, Math.round(box.height * scale));
    this.scale = this.canvas.width / this.diagram.size.width;
    this.colours();
  }

  colours() {
    this.colour = variable("--" + this.diagram.side);
  }

  // measure takes the rates from a tick; null stops the flow at its sources.
  measure(tick, nominal) {
    this.arrows.forEach((a, i) => {
      const rate = tick ? rateOf(a, tick) : 0;
      this.emits[i] = Math.min(mostPerSecond, perSecond * rate / nominal);
    });
  }

  // frame moves everything by some seconds and draws it.
  frame(seconds) {
    for (let i = 0; i < this.emits.length; i++) {
      this.owed[i] = Math.min(3, this.owed[i] + this.emits[i] * seconds);
      while (this.owed[i] >= 1) {
        this.owed[i]--;
        if (this.dots < most) {
          this.arrow[this.dots] = i;
          this.at[this.dots++] = 0;
        }
      }
    }
    const c = this.context, scale = this.scale, radius = 3.2 * scale;
    c.clearRect(0, 0, this.canvas.width, this.canvas.height);
    c.fillStyle = this.colour;
    c.beginPath();
    for (let d = 0; d < this.dots; d++) {
      const i = this.arrow[d];
      this.at[d] += this.pace[i] * seconds;
      if (this.at[d] >= 1) {
        this.dots--;
        this.arrow[d] = this.arrow[this.dots];
        this.at[d] = this.at[this.dots];
        d--;
        continue;
      }
      const k = (i * (steps + 1) + Math.floor(this.at[d] * steps)) * 2;
      const x = this.places[k] * scale, y = this.places[k + 1] * scale;
      c.moveTo(x + radius, y);
      c.arc(x, y, radius, 0, 6.2832);
    }
    c.fill();
  }
}

// dotSays is what a dot stands for.
export function dotSays(nominal) {
  return Math.max(1, Math.round(nominal / perSecond));
}

// run moves all flows while somebody looks and wants movement.
export function run(flows) {
  const wish = matchMedia("(prefers-reduced-motion: reduce)");
  let still = wish.matches; // not asked for in every frame: a browser that has been asked does not say that it has changed
  let running = false, last = 0;
  function step(now) {
    running = !still && !document.hidden;
    if (!running) return;
    const seconds = Math.min(0.1, (now - last) / 1000);
    last = now;
    for (let i = 0; i < flows.length; i++) flows[i].frame(seconds);
    requestAnimationFrame(step);
  }
  function start() {
    if (running || still || document.hidden) return;
    running = true;
    last = performance.now();
    requestAnimationFrame(step);
  }
  wish.addEventListener("change", () => {
    still = wish.matches;
    for (const f of flows) {
      f.dots = 0;
      f.frame(0);
    }
    start();
  });
  document.addEventListener("visibilitychange", start);
  start();
}
