// The buttons: what the server can do, as it names it. Each says what it did, and frames the numbers to look at.

import { make, titles } from "./text.js";

const headings = { events: "Disturb the events", parts: "Kill and restart", logic: "Change the logic" };
const pause = 3000; // ms until something that was refused may be asked for again
const looked = 60_000; // ms that numbers stay framed after it is over

// highlight frames the elements that show some numbers.
export function highlight(numbers, className) {
  for (const e of document.querySelectorAll("[data-number]")) {
    const named = e.dataset.number.split(" ").some((n) => numbers.includes(n));
    e.classList.toggle(className, named);
  }
}

// inSeconds is a time as the server writes it: 5s, 1m0s.
const inSeconds = (text) => Number(text.match(/(\d+)m/)?.[1] ?? 0) * 60 + Number(text.match(/(\d+)s/)?.[1] ?? 0);

// chosen is whether a choice is what holds now; null where nobody says what holds.
function chosen({ action, value }, tick, hello) {
  if (action.do === "interval" && hello) return inSeconds(value) === hello.batch_interval_s;
  if (action.do === "deploy" && action.choices && tick?.sides[action.side]) return tick.sides[action.side].version === value;
  return null;
}

export class Actions {
  constructor(parent, told) {
    this.parent = parent;
    this.told = told;
    this.buttons = [];
    this.framed = 0;
  }

  // load fetches what can be done, once.
  async load() {
    if (this.buttons.length) return;
    const answer = await fetch("live/actions");
    if (!answer.ok) throw new Error("the server has no buttons: " + (await answer.text()));
    const all = await answer.json();
    if (this.buttons.length) return;
    this.parent.textContent = "";
    for (const group of [...new Set(all.map((a) => a.group))]) {
      const section = this.parent.appendChild(make("section"));
      section.appendChild(make("h3", "", headings[group] || group));
      let row = null, side = null;
      for (const action of all.filter((a) => a.group === group)) {
        if (action.side !== side) row = this.row(section, side = action.side);
        this.add(row, action);
      }
    }
  }

  // row is for the buttons of one side: two of them may have the same label.
  row(section, side) {
    if (side) section.appendChild(make("p", "of " + side, titles[side]));
    const row = section.appendChild(make("div", "buttons"));
    if (side) {
      row.setAttribute("role", "group");
      row.setAttribute("aria-label", titles[side]);
    }
    return row;
  }

  add(row, action) {
    if (!action.choices || !action.choices.length) {
      this.button(row, action, action.value, action.label);
      return;
    }
    const choices = row.appendChild(make("div", "choices"));
    choices.setAttribute("role", "group");
    choices.setAttribute("aria-label", [titles[action.side], action.label].filter(Boolean).join(", "));
    choices.appendChild(make("span", "", action.label));
    for (const choice of action.choices) this.button(choices, action, choice, choice.replace(/m0s$/, " min"));
  }

  button(row, action, value, label) {
    const element = row.appendChild(make("button", action.side, label));
    element.type = "button";
    element.title = action.what;
    const button = { element, action, value, label, restart: false, until: 0 };
    element.addEventListener("click", () => this.press(button));
    this.buttons.push(button);
  }

  async press(button) {
    if (button.element.getAttribute("aria-disabled") === "true") return;
    const { action, restart } = button, label = button.element.textContent;
    const name = action.choices ? action.label + ": " + label : label;
    const asked = { do: restart ? "restart" : action.do, part: action.part, value: button.value };
    this.rest(button, pause);
    let error = "", text = "";
    try {
      const answer = await fetch("live/do", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked) });
      const said = await answer.json().catch(() => ({}));
      if (answer.ok) text = said.text || "";
      else error = said.error || "the server answered " + answer.status;
    } catch {
      error = "the server does not answer";
    }
    this.tell(button, { name: name + (error ? ": not done" : ""), text, error, what: error || restart ? "" : action.what, watch: error ? "" : action.watch });
    if (error) return;
    this.rest(button, 1000 * action.takes);
    highlight(action.numbers || [], "watch");
    clearTimeout(this.framed);
    this.framed = setTimeout(() => highlight([], "watch"), 1000 * action.takes + looked);
  }

  // tell says under the button what it did.
  tell(button, { name, text, error, what, watch }) {
    const told = this.told;
    told.textContent = "";
    told.classList.toggle("bad", Boolean(error));
    told.appendChild(make("h3", "", name));
    for (const line of [error, text, what]) {
      if (line) told.appendChild(make("p", "", line));
    }
    if (watch) told.appendChild(make("p", "look")).append(make("b", "", "Look at: "), watch);
    const line = button.element.closest(".choices") || button.element;
    const after = this.endOfRow(line);
    if (after.nextSibling !== told) after.after(told);
    told.scrollIntoView({ block: "nearest" });
  }

  // endOfRow is the last button of the line of buttons that one is in: the panel does not part neighbours.
  endOfRow(line) {
    let last = line;
    for (let e = line.nextElementSibling; e && e !== this.told && e.offsetTop === line.offsetTop; e = e.nextElementSibling) last = e;
    return last;
  }

  rest(button, ms) {
    button.until = Date.now() + ms;
    this.show(this.tick, this.hello);
  }

  // show follows what the server says of parts, bursts and the batch interval.
  show(tick, hello) {
    this.tick = tick;
    this.hello = hello;
    for (const b of this.buttons) {
      const { action, element } = b;
      const off = Date.now() < b.until || Boolean(tick && tick.burst === action.do);
      if ((element.getAttribute("aria-disabled") === "true") !== off) element.setAttribute("aria-disabled", String(off));
      if (action.toggle) this.toggle(b, tick);
      const now = String(chosen(b, tick, hello));
      if (now !== "null" && element.getAttribute("aria-pressed") !== now) element.setAttribute("aria-pressed", now);
    }
  }

  toggle(b, tick) {
    const part = tick && tick.parts[b.action.part];
    const restart = Boolean(part) && part.state === "down";
    if (restart === b.restart) return;
    b.restart = restart;
    b.until = 0; // what it says now has not been asked for
    b.element.textContent = restart ? "Restart " + b.label.replace(/^Kill /, "") : b.label;
  }
}
