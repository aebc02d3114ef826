// A grid with one cell for each car, as one side knows it.

import { rem, titles, variable, whole } from "./text.js";

export class Cars {
  constructor(canvas, side) {
    this.canvas = canvas;
    this.side = side;
    this.context = canvas.getContext("2d");
    this.known = "";
    this.colours();
  }

  colours() {
    this.colour = variable("--" + this.side);
    this.alert = variable("--ink");
    this.unknown = variable("--soft");
  }

  show(known) {
    this.known = known;
    const scale = Math.min(2, devicePixelRatio || 1), width = this.canvas.clientWidth, n = known.length;
    const cell = Math.max(4, Math.floor(Math.sqrt(width * 150 * rem() / Math.max(1, n))));
    const across = Math.max(1, Math.floor(width / cell)), high = cell * Math.ceil(n / across);
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(high * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(high * scale);
    }
    const c = this.context;
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.clearRect(0, 0, width, high);
    for (let i = 0; i < n; i++) this.cell(known.charCodeAt(i), (i % across) * cell, Math.floor(i / across) * cell, cell);
    c.globalAlpha = 1;
    c.fillStyle = this.alert;
    c.beginPath();
    for (let i = 0; i < n; i++) {
      if (known[i] === "A") this.diamond((i % across + 0.5) * cell, (Math.floor(i / across) + 0.5) * cell, cell * 0.75);
    }
    c.fill();
  }

  cell(code, x, y, cell) {
    const c = this.context;
    if (code === 46) {
      c.globalAlpha = 1;
      c.fillStyle = this.unknown;
      c.fillRect(x + cell / 2 - 0.5, y + cell / 2 - 0.5, 1, 1);
      return;
    }
    const seconds = code === 65 ? 0 : code - 48;
    c.globalAlpha = 1 - seconds * 0.09;
    c.fillStyle = this.colour;
    c.fillRect(x, y, cell - 1, cell - 1);
  }

  diamond(x, y, r) {
    const c = this.context;
    c.moveTo(x, y - r);
    c.lineTo(x + r, y);
    c.lineTo(x, y + r);
    c.lineTo(x - r, y);
  }

  // say is the grid in words.
  say() {
    let fresh = 0, alerts = 0, unknown = 0;
    for (const c of this.known) {
      if (c === "A") alerts++;
      else if (c === ".") unknown++;
      else if (c <= "2") fresh++;
    }
    return `${titles[this.side]} has a reading of the last three seconds from ${whole(fresh + alerts)} of ${whole(this.known.length)} cars, `
      + `${whole(alerts)} with an alert` + (unknown ? `, and knows nothing of ${whole(unknown)}.` : ".");
  }
}
