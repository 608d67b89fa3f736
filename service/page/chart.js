// A small chart: one signal as a band from its lowest to its highest, and what was decided as marks.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 600, HIGH = 100; // the drawing's own units; it is stretched to what room there is
const SAY_EVERY = 5000; // ms between changes of the words that a screen reader finds

function shape(tag, values) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(values)) made.setAttribute(name, value);
  return made;
}

function part(parent, tag, name) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made);
  return made;
}

export class Chart {
  // `floor` and `roof`: what is shown at least
  constructor(parent, { title, unit, digits, floor, roof }) {
    Object.assign(this, { title, unit, digits, floor, roof, said: -Infinity });
    const figure = part(parent, "figure", "chart");
    const caption = part(figure, "figcaption", "");
    part(caption, "span", "").textContent = title;
    this.value = part(caption, "span", "value");
    this.plot = part(figure, "div", "plot");
    this.plot.setAttribute("role", "img");
    this.plot.setAttribute("aria-label", `${title}: nothing yet`);
    this.svg = shape("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    this.zero = shape("path", { class: "zero" });
    this.lines = shape("g", {});
    this.band = shape("path", { class: "band" });
    this.svg.append(this.zero, this.band, this.lines);
    this.plot.append(this.svg);
    this.top = part(this.plot, "span", "top");
    this.bottom = part(this.plot, "span", "bottom");
    this.labels = part(this.plot, "span", "labels");
    const axis = part(figure, "div", "axis");
    this.left = part(axis, "span", "");
    this.right = part(axis, "span", "");
  }

  text(value) {
    if (value === null || value === undefined) return "–";
    return `${value.toFixed(this.digits)}${this.unit === "°" ? "" : " "}${this.unit}`;
  }

  // t [s], low and high (null: nothing is known), shown from `from` to `to`; marks: [{t, level}]
  draw({ t, low, high, from, to, left, right, marks = [], now }) {
    const known = low.concat(high).filter((value) => value !== null);
    const least = Math.min(this.floor, ...known), most = Math.max(this.roof, ...known);
    const x = (at) => (((at - from) / (to - from || 1)) * WIDE).toFixed(1);
    const y = (value) => (HIGH - 3 - ((value - least) / (most - least || 1)) * (HIGH - 6)).toFixed(1);
    let path = "", run = [];
    const close = () => { // there along the top, back along the bottom
      if (!run.length) return;
      path += "M" + run.map((k) => `${x(t[k])} ${y(high[k])}`).join("L")
        + "L" + run.reverse().map((k) => `${x(t[k])} ${y(low[k])}`).join("L") + "Z";
      run = [];
    };
    t.forEach((_, k) => { if (low[k] === null) close(); else run.push(k); });
    close();
    this.band.setAttribute("d", path);
    this.zero.setAttribute("d", least < 0 && most > 0 ? `M0 ${y(0)}H${WIDE}` : "");
    this.lines.replaceChildren(...marks.map((mark) =>
      shape("path", { d: `M${x(mark.t)} 0V${HIGH}`, class: "decided", "data-level": mark.level })));
    this.labels.replaceChildren(...marks.map((mark, n) => {
      const label = document.createElement("b");
      label.textContent = n + 1;
      label.style.left = `${(100 * (mark.t - from)) / (to - from || 1)}%`;
      return label;
    }));
    this.top.textContent = most.toFixed(this.digits);
    this.bottom.textContent = least.toFixed(this.digits);
    this.left.textContent = left;
    this.right.textContent = right;
    this.value.textContent = now === undefined ? this.unit : this.text(now);
    if (performance.now() - this.said < SAY_EVERY) return;
    this.said = performance.now();
    this.plot.setAttribute("aria-label", known.length
      ? `${this.title}, ${left} to ${right}: from ${this.text(Math.min(...known))} to ${this.text(Math.max(...known))}`
      : `${this.title}: nothing is known`);
  }
}
