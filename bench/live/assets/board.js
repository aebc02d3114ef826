// What each side answers, in large numbers, and the difference in words.

import { age, count, make, put, share, sides, titles, whole } from "./text.js";
import { past } from "./past.js";

const wrong = (a) => a.missing + a.double + a.other;

// wrongSays names what is wrong.
function wrongSays(a) {
  const named = [["missing", a.missing], ["double", a.double], ["other", a.other]].filter(([, n]) => n > 0);
  return named.map(([name, n]) => count(n) + " " + name).join(", ");
}

// The numbers of a side: name as actions call it, label, and the text. The first are the largest.
const numbers = [
  { number: "freshness", label: "age of the answer", rank: 1, text: (s) => (s.answers ? age(s.freshness_ms) : "no answer") },
  { number: "accuracy", label: (s) => `of ${count(s.accuracy.windows)} windows exact`, rank: 1, text: (s) => share(s.accuracy.exact, s.accuracy.windows) },
  { number: "late", label: "lack late readings", rank: 2, text: (s) => count(s.accuracy.lacks_late) },
  { number: "wrong", label: "windows wrong", rank: 2, text: (s) => count(wrong(s.accuracy)), bad: (s) => wrong(s.accuracy) > 0 },
  { number: "alerts", label: "alerts a minute", rank: 2, text: (s) => count(s.alerts) },
  { number: "version", label: "version", rank: 2, text: (s) => s.version || "–" },
  { number: "lag", label: "lag", rank: 3, text: (s) => count(s.lag) },
  { number: "visible", label: "to be seen, p99", rank: 3, text: (s) => (s.visible_ms.n ? age(s.visible_ms.p99) : "–") },
  { number: "duplicates", label: "duplicates", rank: 3, text: (s) => count(s.duplicates) },
  { number: "dropped_late", label: "dropped late", rank: 3, text: (s) => count(s.dropped_late) },
  { number: "dead_letters", label: "dead letters", rank: 3, text: (s) => count(s.dead_letters) },
  { number: "mixed", label: "mixed versions", rank: 3, text: (s) => count(s.mixed), bad: (s) => s.mixed > 0 },
];

export class Board {
  constructor(list) {
    this.list = list;
    this.shown = numbers.map((n) => {
      const cell = list.appendChild(make("div", "rank" + n.rank));
      cell.dataset.number = n.number;
      const label = cell.appendChild(make("dt"));
      const text = cell.appendChild(make("dd"));
      return { n, cell, label, text };
    });
  }

  show(side) {
    this.list.classList.toggle("silent", !side.answers);
    for (const { n, cell, label, text } of this.shown) {
      put(text, n.text(side));
      put(label, typeof n.label === "string" ? n.label : n.label(side));
      cell.classList.toggle("bad", Boolean(n.bad && n.bad(side)));
    }
  }
}

const newest = 20; // ticks: five seconds, so that the words stand still enough to be read
const alike = 1.25; // a ratio that is not worth a word

// better is the side with the smaller of two numbers and how often it goes into the other; null where they are alike.
function better(l, k) {
  if (Math.max(l, k) < alike * Math.min(l, k) || Math.abs(l - k) < 2) return null;
  return l < k ? "lambda" : "kappa";
}

function fresher(tick) {
  const silent = sides.filter((s) => !tick.sides[s].answers);
  if (silent.length === 2) return "Nobody answers.";
  if (silent.length === 1) return titles[silent[0]] + " does not answer: nothing serves its view.";
  const l = past.median("lambda", "freshness", newest), k = past.median("kappa", "freshness", newest);
  if (l == null || k == null) return "";
  const first = better(l, k);
  if (!first) return `Equally fresh: about ${age(l)}.`;
  const other = sides.find((s) => s !== first), value = { lambda: l, kappa: k };
  return `Fresher: ${titles[first]}, ${age(value[first])} against ${age(value[other])}.`;
}

function moreExact(tick) {
  const a = { lambda: tick.sides.lambda.accuracy, kappa: tick.sides.kappa.accuracy };
  if (!a.lambda.windows || !a.kappa.windows) return "Nothing is judged yet: a window has to be closed first.";
  const of = (s) => a[s].exact / a[s].windows;
  if (of("lambda") === 1 && of("kappa") === 1) return "Both are exact.";
  const flawed = of("lambda") < 1 && of("kappa") < 1;
  if (flawed && Math.abs(of("lambda") - of("kappa")) < 0.0005) return `Equally exact: ${share(a.lambda.exact, a.lambda.windows)}.`;
  const first = of("lambda") > of("kappa") ? "lambda" : "kappa", other = sides.find((s) => s !== first);
  const why = a[other].lacks_late > wrong(a[other])
    ? `${whole(a[other].lacks_late)} windows of ${titles[other]} lack readings that came too late`
    : `of ${titles[other]}'s windows ${wrongSays(a[other])}`;
  return `More exact: ${titles[first]}, ${share(a[first].exact, a[first].windows)} against ${share(a[other].exact, a[other].windows)}; ${why}.`;
}

function versions(tick) {
  const l = tick.sides.lambda.version, k = tick.sides.kappa.version;
  return l && k && l !== k ? `Lambda answers with ${l}, Kappa with ${k}.` : "";
}

// difference is what a teacher would say of a tick.
export function difference(tick) {
  return [fresher(tick), moreExact(tick), versions(tick)].filter(Boolean).join(" ");
}
