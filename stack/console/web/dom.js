// Elements without markup in texts: whatever a span is called stays text.

const SVG = "http://www.w3.org/2000/svg";

const filled = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "place") Object.assign(element.style, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
};

/** An HTML element. `on…` are listeners, `place` is what of its style is computed. */
export const h = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);

/** An SVG element. */
export const svg = (tag, attributes = {}, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);

/** A table: `columns` are [title, cell of a row, class]. */
export const table = (caption, columns, rows) =>
  h("div", { class: "panel scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {},
      h("thead", {}, h("tr", {}, columns.map(([title, , kind]) => h("th", { scope: "col", class: kind }, title)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, columns.map(([, cell, kind]) => h("td", { class: kind }, cell(row))))))));

/** Something to say in place of what is not there. */
export const notice = (...lines) => h("div", { class: "notice" }, lines.map((line) => h("p", {}, line)));

/** Milliseconds as people read them. */
export const ms = (value) => {
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  if (value >= 100) return `${Math.round(value)} ms`;
  return value >= 1 ? `${value.toFixed(1)} ms` : `${Math.round(value * 1000)} µs`;
};

/** A share of one as a percentage. */
export const percent = (value) => `${(value * 100).toFixed(value > 0 && value < 0.1 ? 1 : 0)} %`;

/** The time of day of milliseconds since 1970. */
export const clock = (value) => new Date(value).toLocaleTimeString([], { hour12: false });

/** An operation without its package: the service and the method are what tells. */
export const short = (name) => name.replace(/^telemed\.[a-z]+\.v\d+\./, "");

const HUES = { gateway: 0, appointment: 1, doctor: 2, video: 3 };

/** The class of a service's colour. */
export const hue = (service) => `c${HUES[service.split("-")[0]] ?? 4}`;

/** A service's name with a dot of its colour. */
export const service = (name) => h("span", { class: hue(name) }, h("span", { class: "dot" }), h("span", { class: "name" }, name));
