// Who calls whom: services in columns from the left, what they ask of databases and providers below them.

import { get } from "./api.js";
import { h, hue, ms, notice, percent, service, short, svg, table } from "./dom.js";

const BOX = { width: 210, height: 70, column: 350, pill: 46, gap: 12 };
const ORDER = ["gateway", "appointment", "doctor", "video"];
const rank = (node) => (ORDER.indexOf(node.name) + ORDER.length + 1) % (ORDER.length + 1);

// A service's column is one more than that of whoever calls it, or of whose changes it copies when nobody does.
const columns = (services, all) => {
  const edges = all.filter((edge) => !edge.linked || !all.some((other) => !other.linked && other.to === edge.to));
  const column = Object.fromEntries(services.map((node) => [node.name, 0]));
  for (let round = 1; round < services.length; round += 1)
    for (const edge of edges.filter((one) => one.from in column && one.to in column))
      column[edge.to] = Math.min(services.length - 1, Math.max(column[edge.to], column[edge.from] + 1));
  return column;
};

// What a service asks of databases and providers hangs below it; columns are centred on the tallest.
const placed = (nodes, edges) => {
  const services = nodes.filter((node) => node.kind === "service").sort((a, b) => rank(a) - rank(b));
  const column = columns(services, edges), stacks = {}, places = {};
  for (const node of services) {
    const below = edges.filter((edge) => edge.from === node.name).map((edge) => nodes.find((one) => one.name === edge.to)).filter((one) => one && one.kind !== "service");
    const stack = (stacks[column[node.name]] ??= { height: 0, all: [] });
    places[node.name] = { node, below, x: 10 + column[node.name] * BOX.column, y: stack.height };
    stack.all.push(places[node.name]);
    stack.height += BOX.height + below.length * (BOX.pill + BOX.gap) + 36;
  }
  const tallest = Math.max(...Object.values(stacks).map((stack) => stack.height));
  for (const stack of Object.values(stacks)) for (const place of stack.all) place.y += 24 + (tallest - stack.height) / 2;
  return { places, width: 20 + Math.max(...Object.keys(stacks).map(Number)) * BOX.column + BOX.width, height: tallest + 4 };
};

const numbers = (node) => (node.count ? `${node.per_second.toFixed(1)}/s · p95 ${ms(node.p95_ms)}` : "no call");
const failing = (node) => (node.errors ? `${percent(node.errors / node.count)} failed` : "");

const pill = (node, x, y) => [
  svg("line", { class: "stem", x1: x + BOX.width / 2, x2: x + BOX.width / 2, y1: y - BOX.gap, y2: y }),
  svg("rect", { class: "box", x: x + 10, y, width: BOX.width - 20, height: BOX.pill, rx: BOX.pill / 2 }),
  svg("text", { x: x + BOX.width / 2, y: y + 20, "text-anchor": "middle" }, node.name),
  svg("text", { class: node.errors ? "bad" : "soft", x: x + BOX.width / 2, y: y + 36, "text-anchor": "middle" }, [numbers(node), failing(node)].filter(Boolean).join(" · ")),
];

const box = ({ x, y, node, below }) => svg("g", { class: hue(node.name) },
  svg("rect", { class: "box", x, y, width: BOX.width, height: BOX.height, rx: 8 }),
  svg("text", { x: x + 14, y: y + 24 }, node.name),
  svg("text", { class: "soft", x: x + 14, y: y + 43 }, numbers(node)),
  svg("text", { class: "bad", x: x + 14, y: y + 60 }, failing(node)),
  below.map((one, index) => pill(one, x, y + BOX.height + BOX.gap + index * (BOX.pill + BOX.gap))));

const arrow = (edge, places) => {
  const from = places[edge.from], to = places[edge.to];
  if (!from || !to) return null;
  const forward = to.x > from.x, same = to.x === from.x, lower = edge.linked ? 54 : 24;
  const x1 = from.x + (forward || same ? BOX.width : 0), x2 = to.x + (forward ? 0 : BOX.width);
  const y1 = from.y + lower, y2 = to.y + lower;
  const bend = same ? 80 : Math.max(60, Math.abs(x2 - x1) / 2) * (forward ? 1 : -1);
  const c1 = x1 + bend, c2 = same ? x2 + 80 : x2 - bend;
  const over = Math.abs(to.x - from.x) > BOX.column ? 84 : 0; // past the column between them, not through it
  const kind = ["edge", edge.linked && "linked", edge.errors && "failing"].filter(Boolean).join(" ");
  const at = (a, b, c, d) => (a + 3 * b + 3 * c + d) / 8;
  return [
    svg("path", { class: kind, d: `M${x1},${y1} C${c1},${y1 - over} ${c2},${y2 - over} ${x2},${y2}`, "marker-end": "url(#arrow)" }),
    svg("text", { class: "halo soft", x: at(x1, c1, c2, x2), y: at(y1, y1 - over, y2 - over, y2) - 5, "text-anchor": "middle" },
      edge.linked ? "feed" : `${edge.per_second.toFixed(1)}/s`),
  ];
};

const picture = (nodes, edges) => {
  const { places, width, height } = placed(nodes, edges);
  return h("div", { class: "panel map" },
    svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Services and who calls whom; the table below says the same", place: { maxWidth: `${width * 1.15}px` } },
      svg("defs", {}, svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto" }, svg("path", { class: "arrow", d: "M0,0 L8,4 L0,8 z" }))),
      edges.map((edge) => arrow(edge, places)), Object.values(places).map(box)));
};

const failures = (row) => (row.errors ? h("span", { class: "tag bad" }, `${row.errors} (${percent(row.errors / row.count)})`) : "–");

/** The view. */
export const serviceMap = async () => {
  const [{ nodes, edges }, { operations }] = await Promise.all([get("map"), get("operations")]);
  if (!nodes.length) return notice("No call of the last 15 minutes is here yet.");
  return h("div", {},
    h("p", { class: "soft" }, "The last 15 minutes. A dashed arrow is work that was caused, not asked for: the copies of the change feed."),
    picture(nodes, edges),
    h("h2", {}, "Calls between them"),
    table("Calls between services", [
      ["From", (e) => service(e.from)], ["To", (e) => service(e.to)], ["How", (e) => (e.linked ? "caused by its change" : "called"), "wide"],
      ["Calls", (e) => e.count.toLocaleString(), "number"], ["Failed", failures, "number"],
      ["Half within", (e) => ms(e.p50_ms), "number wide"], ["95 % within", (e) => ms(e.p95_ms), "number"],
      ["Slowest", (e) => h("a", { href: `#/trace/${e.slowest_trace_id}` }, ms(e.max_ms)), "number"],
    ], edges),
    h("h2", {}, "What they were asked"),
    table("Operations", [
      ["Service", (o) => service(o.service)], ["Operation", (o) => h("a", { href: `#/traces?${new URLSearchParams({ service: o.service, name: o.name })}`, title: o.name }, short(o.name)), "break"],
      ["Calls", (o) => o.count.toLocaleString(), "number"], ["Failed", failures, "number"],
      ["Half within", (o) => ms(o.p50_ms), "number wide"], ["95 % within", (o) => ms(o.p95_ms), "number"],
      ["Slowest", (o) => h("a", { href: `#/trace/${o.slowest_trace_id}` }, ms(o.max_ms)), "number"],
    ], operations));
};
