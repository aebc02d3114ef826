// What the plots know: the ticks of five minutes in rings of a fixed length, and what stands in the plots beside them. Nothing of
// it grows with time.

export const length = 1200; // ticks: four a second
const mostBands = 100, mostMarks = 300;

// The parts whose lag is drawn, each with its side.
export const laggards = {
  lambda: ["lambda ingest", "lambda speed", "lambda batch"],
  kappa: ["kappa process", "kappa replay"],
};

const percent = (a, n) => (a.windows ? 100 * n / a.windows : NaN);
const number = (n) => (n == null ? NaN : n);
const behind = (part) => (part && part.lag >= 0 && part.state !== "down" ? part.lag : NaN);

// A column is one number of a tick, for one side; NaN where there is none.
const columns = {
  freshness: (s) => number(s.freshness_ms),
  batch: (s) => number(s.batch_freshness_ms),
  p50: (s) => (s.visible_ms.n ? s.visible_ms.p50 : NaN),
  p99: (s) => (s.visible_ms.n ? s.visible_ms.p99 : NaN),
  lag: (s) => s.lag,
  exact: (s) => percent(s.accuracy, s.accuracy.exact),
  lacksLate: (s) => percent(s.accuracy, s.accuracy.lacks_late),
  missing: (s) => percent(s.accuracy, s.accuracy.missing),
  double: (s) => percent(s.accuracy, s.accuracy.double),
  other: (s) => percent(s.accuracy, s.accuracy.other),
  lag0: (s, tick, side) => behind(tick.parts[laggards[side][0]]),
  lag1: (s, tick, side) => behind(tick.parts[laggards[side][1]]),
  lag2: (s, tick, side) => behind(tick.parts[laggards[side][2]]),
};
const names = Object.keys(columns);

function rings() {
  return Object.fromEntries(names.map((name) => [name, new Float64Array(length)]));
}

export const past = {
  at: new Float64Array(length), // s Unix
  lambda: rings(),
  kappa: rings(),
  next: 0, // where the next tick goes
  size: 0,
  bands: [], // {from, to, side, text}: s Unix
  marks: [], // {at, side, text}
  down: new Map(), // part: the band of its absence, while it lasts

  clear() {
    this.next = this.size = 0;
    this.bands.length = this.marks.length = 0;
    this.down.clear();
  },

  push(tick, sideOf) {
    const i = this.next;
    this.at[i] = tick.at / 1000;
    for (const side of ["lambda", "kappa"]) {
      for (const name of names) this[side][name][i] = columns[name](tick.sides[side], tick, side);
    }
    this.next = (i + 1) % length;
    this.size = Math.min(length, this.size + 1);
    this.absences(tick, sideOf);
  },

  // absences has a band for the time that a part is down.
  absences(tick, sideOf) {
    const now = tick.at / 1000;
    for (const [part, state] of Object.entries(tick.parts)) {
      const band = this.down.get(part);
      if (state.state !== "down") {
        this.down.delete(part);
      } else if (band) {
        band.to = now;
      } else {
        this.down.set(part, this.band({ from: now, to: now, side: sideOf(part), text: part + " down" }));
      }
    }
  },

  band(band) {
    this.bands.push(band);
    if (this.bands.length > mostBands) this.bands.shift();
    return band;
  },

  mark(mark) {
    this.marks.push(mark);
    if (this.marks.length > mostMarks) this.marks.shift();
  },

  note(note) {
    if (!note.from) return;
    if (note.to) this.band({ from: note.from / 1000, to: note.to / 1000, side: note.side, text: note.text });
    else this.mark({ at: note.from / 1000, side: note.side, text: note.text, tall: true });
  },

  // copy puts a ring into an array that uPlot may have: oldest first, null where there is nothing.
  copy(ring, into) {
    into.length = this.size;
    const first = this.size < length ? 0 : this.next;
    for (let i = 0; i < this.size; i++) {
      const v = ring[(first + i) % length];
      into[i] = v === v ? v : null;
    }
    return into;
  },

  // median is that of the newest n of a column, without what is not known.
  median(side, name, n) {
    const all = [];
    for (let k = 1; k <= Math.min(n, this.size); k++) {
      const v = this[side][name][(this.next - k + length) % length];
      if (v === v) all.push(v);
    }
    all.sort((a, b) => a - b);
    return all.length ? all[Math.floor(all.length / 2)] : null;
  },
};
