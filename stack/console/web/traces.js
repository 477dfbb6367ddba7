// The search for traces and what it found.

import { get } from "./api.js";
import { clock, h, ms, notice, service, short, table } from "./dom.js";

const field = (label, input) => h("label", {}, label, input);

const form = (wish, services) => {
  const text = (name, placeholder) => h("input", { name, value: wish[name] ?? "", placeholder });
  const number = (name) => h("input", { name, type: "number", min: "0", step: "any", value: wish[name] ?? "" });
  const choice = (name, all) =>
    h("select", { name }, all.map(([value, told]) => h("option", { value, selected: value === (wish[name] ?? "") }, told)));
  const submit = (event) => {
    event.preventDefault();
    const given = [...new FormData(event.target)].filter(([, value]) => value !== "");
    location.hash = `#/traces?${new URLSearchParams(given)}`;
    if (`#/traces?${new URLSearchParams(wish)}` === location.hash) dispatchEvent(new HashChangeEvent("hashchange"));
  };
  return h("form", { onsubmit: submit, role: "search" }, h("div", { class: "row" },
    field("Service", choice("service", [["", "any"], ...services.map((name) => [name, name])])),
    field("Name contains", text("name", "SmartBook")),
    field("Status", choice("status", [["", "any"], ["error", "with an error"], ["ok", "without"]])),
    field("From ms", number("min_ms")),
    field("To ms", number("max_ms")),
    field("Attribute", text("attribute", "error.type=INTERNAL")),
    field("Trace id", text("trace_id", "32 hexadecimal digits")),
    h("button", {}, "Search"),
    h("a", { href: "#/traces" }, "Clear")));
};

const found = (traces) => {
  const longest = Math.max(...traces.map((trace) => trace.duration_ms), 0.001);
  return table("Traces found", [
    ["Began", (t) => clock(t.start_time), "time"],
    ["Trace", (t) => [h("a", { href: `#/trace/${t.trace_id}`, title: t.root.name }, short(t.root.name)), h("div", { class: "soft" }, t.root.service)], "break"],
    ["Duration", (t) => [ms(t.duration_ms), h("div", { class: "bar c1", place: { width: `${Math.max(2, 100 * t.duration_ms / longest)}%` } })], "number"],
    ["Spans", (t) => t.spans, "number"],
    ["Errors", (t) => (t.errors ? h("span", { class: "tag bad" }, t.errors) : "–"), "number"],
    ["Services", (t) => t.services.map((name) => h("span", {}, service(name), " ")), "wide"],
  ], traces);
};

const nothing = (wish, store) => {
  if (!store.receives) return notice("The traces of this stack are sent elsewhere: OTEL_EXPORTER_OTLP_ENDPOINT was set when it was started.");
  if (store.traces && Object.keys(wish).length) return notice("No trace fits.", h("a", { href: "#/traces" }, "Show all."));
  return notice("No trace has arrived yet. Make a request, for example:", h("code", {}, "curl http://localhost:3000/readyz"));
};

/** The view. */
export const traces = async (wish) => {
  const [{ traces: all }, store] = await Promise.all([get("traces", wish), get("store")]);
  return h("div", {}, form(wish, store.services), all.length ? found(all) : nothing(wish, store));
};
