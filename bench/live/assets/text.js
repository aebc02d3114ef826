// Numbers as people read them, and elements that are written to many times an hour without a new node each time.

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

// count is a whole number in at most six characters: 1,203 or 12.3k.
export function count(n) {
  if (n == null || Number.isNaN(n)) return "–";
  if (n < 10000) return grouped.format(Math.round(n));
  for (const [unit, name] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (n >= unit) return (n / unit).toFixed(n < 100 * unit ? 1 : 0) + name;
  }
  return "–";
}

export const whole = (n) => (n == null ? "–" : grouped.format(n));

// age is a time in ms: 12 ms, 1.3 s, 4 min.
export function age(ms) {
  if (ms == null || Number.isNaN(ms)) return "–";
  if (ms < 1) return "<1 ms";
  if (ms < 1000) return Math.round(ms) + " ms";
  if (ms < 10_000) return (ms / 1000).toFixed(1) + " s";
  if (ms < 120_000) return Math.round(ms / 1000) + " s";
  return Math.round(ms / 60_000) + " min";
}

// share is a part of a whole in percent. Only all of it is 100 %.
export function share(part, all) {
  if (!all) return "–";
  const percent = 100 * part / all;
  const digits = percent > 99 && percent < 100 ? 2 : 1;
  const cut = Math.floor(percent * 10 ** digits + 1e-9) / 10 ** digits;
  return (part === all ? "100" : cut.toFixed(digits)) + " %";
}

export function bytes(n) {
  if (n == null) return "–";
  if (n < 1024) return n + " B";
  for (const [unit, name] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]]) {
    if (n >= unit) return (n / unit).toFixed(n < 10 * unit ? 1 : 0) + " " + name;
  }
  return "–";
}

const two = (n) => String(n).padStart(2, "0");

// clock is a moment of the day, here.
export function clock(ms) {
  const d = new Date(ms);
  return two(d.getHours()) + ":" + two(d.getMinutes()) + ":" + two(d.getSeconds());
}

// span is a time in h:mm:ss.
export function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  return Math.floor(s / 3600) + ":" + two(Math.floor(s / 60) % 60) + ":" + two(s % 60);
}

// put writes a text into an element that holds nothing else.
export function put(element, text) {
  const inside = element.firstChild;
  if (!inside) element.textContent = text;
  else if (inside.nodeValue !== text) inside.nodeValue = text;
}

// make makes an element.
export function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text != null) element.textContent = text;
  return element;
}

export function variable(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// rem is the size of the page's text, in pixels, as a share of what it is on a laptop.
export const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

export const sides = ["lambda", "kappa"];
export const titles = { lambda: "Lambda", kappa: "Kappa" };
