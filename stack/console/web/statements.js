// The statements that took most time, with their text, which has placeholders where values go.

import { get } from "./api.js";
import { h, ms, notice, service, table } from "./dom.js";

/** The view. */
export const statements = async () => {
  const { statements: all } = await get("statements");
  if (!all.length) return notice("No statement of the last 15 minutes is here yet.");
  const whole = all.reduce((sum, one) => sum + one.total_ms, 0);
  return h("div", {},
    h("p", { class: "soft" }, "The last 15 minutes, those first that took most time in all. A share of 100 % is all the time spent on statements."),
    table("Statements", [
      ["Service", (s) => service(s.service)],
      ["Statement", (s) => (s.text ? h("details", {}, h("summary", {}, s.statement), h("pre", {}, s.text)) : s.statement), "break"],
      ["Times", (s) => s.count.toLocaleString(), "number"],
      ["Failed", (s) => (s.errors ? h("span", { class: "tag bad" }, s.errors) : "–"), "number"],
      ["Half within", (s) => ms(s.p50_ms), "number wide"],
      ["95 % within", (s) => ms(s.p95_ms), "number"],
      ["Slowest", (s) => h("a", { href: `#/trace/${s.slowest_trace_id}` }, ms(s.max_ms)), "number"],
      ["Share", (s) => [`${(100 * s.total_ms / whole).toFixed(1)} %`, h("div", { class: "bar c1", place: { width: `${100 * s.total_ms / whole}%` } })], "number"],
    ], all));
};
