"""The numbers of a process for Prometheus: the instruments that every process has, and the page that shows them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from threading import Thread
from wsgiref.simple_server import WSGIServer
from wsgiref.types import WSGIApplication

from opentelemetry import trace
from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import make_wsgi_app, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

# The boundaries that OpenTelemetry's conventions advise for durations in seconds, from one millisecond on.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

REGISTRY = CollectorRegistry(auto_describe=False)
for _collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
    REGISTRY.register(_collector)

# Names follow OpenTelemetry's semantic conventions as Prometheus writes them: dots become underscores, the unit ends
# the name. Labels hold methods, codes and names of queries: a closed set, and nothing of a person.
server_calls = Histogram(
    "rpc_server_call_duration_seconds",
    "How long RPCs took to answer.",
    ["rpc_method", "rpc_response_status_code"],
    buckets=SECONDS,
    registry=REGISTRY,
)
open_calls = Gauge(
    "telemed_rpc_server_open_calls",
    "Calls and streams that this process has in hand.",
    ["rpc_method"],
    registry=REGISTRY,
)
client_calls = Histogram(
    "rpc_client_call_duration_seconds",
    "How long calls to other services took, their retries included.",
    ["rpc_method", "rpc_response_status_code"],
    buckets=SECONDS,
    registry=REGISTRY,
)
retried_calls = Counter(
    "telemed_rpc_server_retried_calls",
    "Calls that arrived as a retry of an earlier attempt.",
    ["rpc_method"],
    registry=REGISTRY,
)
client_retries = Counter(
    "telemed_rpc_client_retries",
    "Attempts before the one that was answered, as the service that answered told us.",
    ["rpc_method"],
    registry=REGISTRY,
)
shed_calls = Counter(
    "telemed_rpc_server_shed_calls",
    "Calls refused because too many were in hand, at once or after a wait.",
    registry=REGISTRY,
)
broken_glass = Counter(
    "telemed_break_glass",
    "Readings of somebody's data by people who said why it could not wait for a permission.",
    ["rpc_method"],
    registry=REGISTRY,
)
http_requests = Histogram(
    "http_server_request_duration_seconds",
    "How long HTTP requests took to answer; a stream, until it ended.",
    ["http_request_method", "http_route", "http_response_status_code"],
    buckets=SECONDS,
    registry=REGISTRY,
)
statements = Histogram(
    "db_client_operation_duration_seconds",
    "How long statements took, by the name of their query.",
    ["db_query_summary", "error_type"],
    buckets=SECONDS,
    registry=REGISTRY,
)
# What two transactions do to each other. Named beforehand, so that the first of a kind is a rise from 0.
contention = Counter(
    "telemed_db_contention",
    "Statements that lost against another transaction: deadlock (40P01), serialisation (40001), lock wait (55P03).",
    ["sqlstate"],
    registry=REGISTRY,
)
CONTENTION = frozenset({"40P01", "40001", "55P03"})
for _state in CONTENTION:
    contention.labels(_state)
pool_waits = Histogram(
    "db_client_connection_wait_time_seconds",
    "How long work waited for a connection of the pool.",
    buckets=SECONDS,
    registry=REGISTRY,
)
background_failures = Counter(
    "telemed_background_failures", "Failures of background work; it was started again.", ["work"], registry=REGISTRY
)
replays = Counter(
    "telemed_idempotent_replays",
    "Calls that were answered with what had been saved under their request_id.",
    ["method"],
    registry=REGISTRY,
)
_build = Gauge(
    "telemed_build_info", "Which service this is, and which release.", ["service_name", "version"], registry=REGISTRY
)
serving = Gauge("telemed_ready", "1 while this process says SERVING.", registry=REGISTRY)
loop_lag = Histogram(
    "telemed_event_loop_lag_seconds",
    "How much later than asked the event loop ran a timer.",
    buckets=SECONDS,
    registry=REGISTRY,
)

loop_tasks = Gauge("telemed_event_loop_tasks", "Tasks that are under way in the event loop.", registry=REGISTRY)


# Labels are a closed set, and finding the numbers behind them costs more than adding to them.
labelled_client_call = lru_cache(maxsize=4096)(client_calls.labels)
labelled_http_request = lru_cache(maxsize=4096)(http_requests.labels)


def exemplar() -> dict[str, str] | None:
    """The trace that an observation belongs to, when it is recorded."""
    context = trace.get_current_span().get_span_context()
    return {"trace_id": f"{context.trace_id:032x}"} if context.trace_flags.sampled else None


def tell_build(service: str) -> None:
    """Shows which service and release this process is."""
    _build.labels(service, version("telemed-scheduler")).set(1)


_readings: dict[str, Collector] = {}


def gauge(name: str, told: str, read: Callable[[], float]) -> None:
    """Shows a number that is read whenever somebody looks; of two with the same name, the later one."""
    if (earlier := _readings.pop(name, None)) is not None:
        REGISTRY.unregister(earlier)
    _readings[name] = reading = _Reading(name, told, read)
    REGISTRY.register(reading)


@dataclass(frozen=True, eq=False)
class _Reading(Collector):
    name: str
    told: str
    read: Callable[[], float]

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(self.name, self.told, value=self.read())


@dataclass(frozen=True, eq=False)
class PoolNumbers(Collector):
    """The state of a connection pool, from what psycopg_pool counts."""

    database: str
    stats: Callable[[], dict[str, int]]

    def collect(self) -> Iterable[Metric]:
        """Connections by state, and the requests that found none."""
        stats = self.stats()
        size, idle = stats.get("pool_size", 0), stats.get("pool_available", 0)
        connections = GaugeMetricFamily(
            "db_client_connection_count", "Connections of the pool.", labels=["db_namespace", "state"]
        )
        connections.add_metric([self.database, "idle"], idle)
        connections.add_metric([self.database, "used"], size - idle)
        yield connections
        limit = GaugeMetricFamily("db_client_connection_max", "Most connections of the pool.", labels=["db_namespace"])
        limit.add_metric([self.database], stats.get("pool_max", 0))
        yield limit
        waiting = GaugeMetricFamily(
            "db_client_connection_pending_requests", "Work that waits for a connection.", labels=["db_namespace"]
        )
        waiting.add_metric([self.database], stats.get("requests_waiting", 0))
        yield waiting
        for name, key, told in (
            ("db_client_connection_timeouts", "requests_errors", "Work that got no connection in time."),
            ("telemed_db_connections_lost", "connections_lost", "Connections that were found broken."),
            ("telemed_db_connection_errors", "connections_errors", "Attempts to connect that failed."),
        ):
            counter = CounterMetricFamily(name, told, labels=["db_namespace"])
            counter.add_metric([self.database], stats.get(key, 0))
            yield counter


@dataclass(frozen=True, slots=True)
class MetricsPage:
    """The page `/metrics` on the admin port, served beside the event loop so that it answers while that is busy."""

    server: WSGIServer
    thread: Thread

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server.server_address[1])

    def close(self) -> None:
        """Stops serving."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def serve_metrics(
    host: str, port: int, before: Callable[[WSGIApplication], WSGIApplication] | None = None
) -> MetricsPage:
    """Shows the numbers on an address, with the pages that are put `before` them. Raises OSError when it is taken."""
    server, thread = start_http_server(port, addr=host, registry=REGISTRY)
    if before is not None:
        server.set_app(before(make_wsgi_app(REGISTRY)))
    return MetricsPage(server, thread)
