// Listens to the server and shows what it says: numbers four times a second, plots once, words every ten seconds. What is drawn
// does not depend on how fast the ticks come.

import { Actions, highlight } from "./actions.js";
import { Board, difference } from "./board.js";
import { Cars } from "./cars.js";
import { Diagram, PartsTable } from "./diagram.js";
import { Flow, dotSays, run } from "./flow.js";
import { past } from "./past.js";
import { Plots } from "./plots.js";
import { bytes, clock, make, put, sides, span, titles, whole } from "./text.js";

const mostNotes = 100;
const silence = 3000; // ms without a tick after which the page says so
const asleep = 60_000; // ms out of sight after which it hangs up; the history brings back what it missed

const at = (id) => document.getElementById(id);
const each = (make) => Object.fromEntries(sides.map((side) => [side, make(side)]));

let hello = null, tick = null, fresh = false, heard = 0, said = "connecting…";

const diagrams = each((side) => new Diagram(side, "The parts of " + titles[side], at(side + "-flow")));
const flows = sides.map((side) => new Flow(diagrams[side], at(side + "-flow")));
const boards = each((side) => new Board(at(side + "-board")));
const cars = each((side) => new Cars(at(side + "-cars"), side));
const parts = new PartsTable(at("parts"));
const plots = new Plots(at("plots"));
const actions = new Actions(at("actions"), at("told"));

const sideOf = (part) => hello?.parts.find((p) => p.name === part)?.side || (part.split(" ").find((w) => sides.includes(w)) ?? "");

// --- what the server says

const events = {
  hello(h) {
    hello = h;
    at("broker").hidden = !h.embedded;
    put(at("broker"), `Broker: ${h.broker || "embedded"}. It is no Kafka: compare the two sides, nothing else.`);
    put(at("window"), `A window holds the readings of one car and ${h.window_s} s. `);
    put(at("dots"), `A dot: ${whole(dotSays(h.rate))} events, as measured.`);
    put(at("machine"), `${h.machine}; broker ${h.broker || "embedded"}; revision ${h.revision || "unknown"}; windows of ${h.window_s} s; `
      + `views, log and master dataset hold the last ${Math.round(h.keep_s / 60)} min.`);
  },
  history(h) {
    past.clear();
    at("log").textContent = "";
    for (const t of h.ticks) past.push(t, sideOf);
    for (const b of h.batches) mark(b);
    for (const n of h.notes.slice(-mostNotes)) note(n);
    if (h.ticks.length) latest(h.ticks[h.ticks.length - 1]);
    if (h.cars) showCars(h.cars);
    plots.draw(true);
  },
  tick(t) {
    past.push(t, sideOf);
    latest(t);
  },
  note(n) {
    note(n);
    if (n.numbers && n.numbers.length) {
      highlight(n.numbers, "noted");
      clearTimeout(noted);
      noted = setTimeout(() => highlight([], "noted"), 5000);
    }
  },
  batch: mark,
  cars: showCars,
  bye(b) {
    say("the server hung up: " + b.text + "; reconnecting…");
  },
};
let noted = 0;

function latest(t) {
  tick = t;
  fresh = true;
  heard = performance.now();
}

function mark(b) {
  past.mark({ at: b.at / 1000, side: b.side, text: "batch view " + b.generation });
}

function note(n) {
  past.note(n);
  const log = at("log"), line = make("li", n.kind + " " + n.side);
  line.append(make("time", "", clock(n.at)), (n.kind === "error" ? "error: " : "") + n.text);
  log.prepend(line);
  while (log.children.length > mostNotes) log.lastChild.remove();
}

let shownCars = null;
function showCars(c) {
  shownCars = c;
}

// --- the connection

let source = null, again = 0;

function connect() {
  clearTimeout(again);
  source?.close();
  source = new EventSource("live/stream");
  for (const [name, take] of Object.entries(events)) source.addEventListener(name, (e) => take(JSON.parse(e.data)));
  source.addEventListener("open", () => {
    heard = performance.now(); // silence begins to count anew
    say("live");
    loadActions();
  });
  source.addEventListener("error", () => {
    say("reconnecting…");
    if (source.readyState !== EventSource.CLOSED) return;
    again = setTimeout(connect, 2000); // the server refused; the browser gives up then, and does not say why
    fetch("live/stream").then((r) => (r.ok ? r.body.cancel() : r.text().then((why) => say(why.trim() + "; reconnecting…"))), () => {});
  });
}

function loadActions() {
  actions.load().then(() => actions.show(tick, hello), (e) => put(at("told"), String(e.message)));
}

let hangUp = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hangUp);
  if (document.hidden) {
    hangUp = setTimeout(() => { source.close(); source = null; }, asleep);
  } else if (!source) {
    connect();
  }
});

function say(text) {
  if (text.startsWith("reconnecting") && said.startsWith("the server hung up")) return; // it said why
  said = text;
  showState();
}

function showState() {
  const quiet = heard && performance.now() - heard > silence && said === "live";
  put(at("state"), quiet ? "no news from the server" : said);
  document.body.classList.toggle("away", said !== "live" || Boolean(quiet));
  if (said !== "live" || quiet) for (const f of flows) f.measure(null, 1);
}

// --- what is drawn

function numbers() {
  showState();
  actions.show(tick, hello);
  if (!fresh || !tick || !hello || document.hidden) return;
  fresh = false;
  put(at("rate"), whole(tick.sent));
  put(at("uptime"), span(tick.at - hello.started));
  put(at("disk"), bytes(tick.disk.log + tick.disk.lambda + tick.disk.page));
  for (const side of sides) {
    boards[side].show(tick.sides[side]);
    diagrams[side].show(tick);
  }
  if (said === "live") for (const f of flows) f.measure(tick, hello.rate);
}

function slowly() {
  if (!tick || !hello || document.hidden) return;
  plots.draw();
  parts.show(tick, hello.parts.map((p) => p.name));
  put(at("difference"), difference(tick));
  if (shownCars) for (const side of sides) cars[side].show(shownCars[side]);
}

function words() {
  if (!tick || document.hidden) return;
  for (const side of sides) diagrams[side].say();
  plots.say();
  if (shownCars) put(at("cars-said"), sides.map((side) => cars[side].say()).join(" "));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const f of flows) f.colours();
  for (const side of sides) cars[side].colours();
  plots.rebuild();
});
// The drawings fit the room that there is.
const room = new ResizeObserver(() => {
  const layout = flows[0].canvas.parentElement.clientWidth < 480 ? "narrow" : "wide";
  for (const f of flows) {
    if (f.diagram.layedOut !== layout) {
      f.diagram.layout(layout);
      f.follow();
      fresh = true;
    }
    f.resize();
  }
});
for (const f of flows) room.observe(f.canvas.parentElement);

connect();
setInterval(numbers, 250);
setInterval(slowly, 1000);
setInterval(words, 10_000);
setTimeout(words, 1500);
run(flows);
