// One trace as a waterfall: every span below its parent, at its time.

import { get } from "./api.js";
import { clock, h, hue, ms, notice, service, short } from "./dom.js";

const detail = (span) => {
  const attributes = Object.entries(span.attributes).sort(([a], [b]) => a.localeCompare(b));
  return h("div", { class: "detail" }, h("dl", { class: "mono" },
    h("dt", {}, "kind"), h("dd", {}, span.kind),
    h("dt", {}, "begins after"), h("dd", {}, ms(span.offset_ms)),
    h("dt", {}, "takes"), h("dd", {}, ms(span.duration_ms)),
    attributes.map(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))]),
    span.events.map((event) => [h("dt", {}, `event at ${ms(event.offset_ms)}`), h("dd", {}, [event.name, ...Object.entries(event.attributes).map(([k, v]) => `${k}=${v}`)].join("  "))]),
    span.links.map((link) => [h("dt", {}, "caused by"), h("dd", {}, h("a", { href: `#/trace/${link.trace_id}` }, link.trace_id))]),
    h("dt", {}, "span id"), h("dd", {}, span.span_id)));
};

const bar = (span, total) => {
  const left = 100 * span.offset_ms / total, width = Math.max(0.3, 100 * span.duration_ms / total);
  const end = left + width;
  // After the bar where there is room, else before it, else on it.
  const beside = end < 85 ? { left: `${end}%` } : left > 15 ? { right: `${100 - left}%` } : { right: `${Math.max(0, 100 - end)}%` };
  return h("span", { class: "track" },
    h("span", { class: `bar ${hue(span.service)}`, place: { left: `${Math.min(left, 99.7)}%`, width: `${width}%` } }),
    span.events.map((event) => h("span", { class: "tick", place: { left: `${Math.min(99.7, 100 * event.offset_ms / total)}%` } })),
    h("span", { class: end < 85 || left > 15 ? "took" : "took on", place: beside }, ms(span.duration_ms)));
};

const line = (span, total) => {
  const open = (event) => {
    const button = event.currentTarget, is = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!is));
    is ? button.nextElementSibling.remove() : button.after(detail(span));
  };
  return h("button", { class: span.error ? "span failed" : "span", "aria-expanded": "false", onclick: open },
    h("span", { class: "label", title: span.name, place: { paddingLeft: `${Math.min(span.depth, 12)}rem` } },
      service(span.service), " ", short(span.name), " ",
      span.error && h("span", { class: "tag bad" }, span.attributes["error.type"] ?? "error")),
    bar(span, total));
};

/** The view. */
export const trace = async (_, traceId) => {
  const found = await get(`traces/${traceId}`);
  const total = Math.max(found.duration_ms, 0.001);
  const marks = [0, 0.25, 0.5, 0.75, 1].map((share) => h("span", {}, ms(share * total)));
  return h("div", {},
    h("p", {}, h("b", {}, found.root.name), h("span", { class: "soft" },
      ` · ${clock(found.start_time)} · ${ms(found.duration_ms)} · ${found.spans} spans · ${found.services.length} services · `),
      h("span", { class: found.errors ? "bad" : "good" }, found.errors ? `${found.errors} failed` : "no error")),
    h("p", { class: "mono soft" }, found.trace_id),
    found.orphans.length > 1 && notice(`${found.orphans.length} spans name a parent that has not arrived.`),
    found.dropped > 0 && notice(`${found.dropped} further spans of this trace were too many to keep.`),
    h("div", { class: "panel waterfall" },
      h("div", { class: "axis-row" }, h("span", {}), h("div", { class: "axis" }, marks)),
      found.all.map((span) => line(span, total))));
};
