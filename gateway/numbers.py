"""The numbers of the edge for Prometheus: what it turns away, and what it has in hand."""

from prometheus_client import Counter, Gauge

from chassis.metrics import REGISTRY

active_requests = Gauge(
    "http_server_active_requests",
    "Requests that this process has in hand, streams among them.",
    ["http_request_method"],
    registry=REGISTRY,
)
upstream_ready = Gauge(
    "telemed_gateway_upstream_ready", "1 while that upstream says SERVING.", ["upstream"], registry=REGISTRY
)
open_streams = Gauge(
    "telemed_gateway_open_streams", "Streams of events that browsers have open here.", registry=REGISTRY
)
limited = Counter(
    "telemed_gateway_rate_limited_requests",
    "Requests refused because a user or an address had asked too much (429).",
    ["limit"],
    registry=REGISTRY,
)
shed = Counter(
    "telemed_gateway_shed_requests", "Requests turned away at once because too many were in hand.", registry=REGISTRY
)
for _limit in ("address", "user"):
    limited.labels(_limit)
