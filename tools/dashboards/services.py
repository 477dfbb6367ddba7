"""The dashboards of the processes and of their databases."""

from tools.dashboards.panel import Board, Panel, latency, quantile, rate, share

_HTTP = "http_server_request_duration_seconds"
_RPC = "rpc_server_call_duration_seconds"
_CALLS = "rpc_client_call_duration_seconds"
_STATEMENTS = "db_client_operation_duration_seconds"
_SERVER_ERRORS = 'http_response_status_code=~"5.."'
_FAULTS = 'rpc_response_status_code=~"UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS"'
_OURS = 'job=~"gateway|appointment|doctor|video"'

SERVICES = Board(
    "services",
    "services",
    [
        Panel("Ready", [("min by (job) (telemed_ready)", "{{job}}")], kind="stat", width=6),
        Panel("Replicas that answer", [(f"sum by (job) (up{{{_OURS}}})", "{{job}}")], kind="stat", width=6),
        Panel(
            "Booking: burn of the error budget",
            [
                ("telemed:booking_errors:ratio_rate1h / 0.0005", "errors, 1 h"),
                ("telemed:booking_errors:ratio_rate6h / 0.0005", "errors, 6 h"),
                ("telemed:booking_slow:ratio_rate1h / 0.01", "slow, 1 h"),
                ("telemed:booking_slow:ratio_rate6h / 0.01", "slow, 6 h"),
            ],
            told="1 spends exactly the budget of 30 days; from 14.4 (1 h) or 6 (6 h) on somebody is woken.",
            width=12,
        ),
        Panel("HTTP: requests", [(rate(f"{_HTTP}_count", "http_route"), "{{http_route}}")], "reqps"),
        Panel(
            "HTTP: share of server errors",
            [
                (
                    share(rate(f"{_HTTP}_count", "http_route", _SERVER_ERRORS), rate(f"{_HTTP}_count", "http_route")),
                    "{{http_route}}",
                )
            ],
            "percentunit",
        ),
        Panel("HTTP: duration", latency(_HTTP, "http_route", "{{http_route}}"), "s"),
        Panel("RPC: calls", [(rate(f"{_RPC}_count", "rpc_method"), "{{rpc_method}}")], "reqps"),
        Panel(
            "RPC: calls that failed, by code",
            [
                (
                    rate(f"{_RPC}_count", "rpc_method, rpc_response_status_code", _FAULTS),
                    "{{rpc_method}} {{rpc_response_status_code}}",
                )
            ],
            "reqps",
            "Faults of ours only; refusals are answers.",
        ),
        Panel("RPC: duration", [("job:rpc_server_call_duration_seconds:p99_5m", "{{rpc_method}} p99")], "s"),
        Panel(
            "RPC: every code",
            [
                (
                    "sum by (job, rpc_response_status_code) (job:rpc_server_calls:rate5m)",
                    "{{job}} {{rpc_response_status_code}}",
                )
            ],
            "reqps",
        ),
        Panel("Calls to other services", latency(_CALLS, "job, rpc_method", "{{job}} {{rpc_method}}"), "s"),
        Panel(
            "Retries",
            [
                (rate("telemed_rpc_server_retried_calls_total", "job"), "arrived at {{job}}"),
                (rate("telemed_rpc_client_retries_total", "job"), "made by {{job}}"),
            ],
            "reqps",
        ),
        Panel(
            "Turned away",
            [
                (rate("telemed_rpc_server_shed_calls_total", "job"), "shed by {{job}}"),
                (rate("telemed_gateway_shed_requests_total", "job"), "shed by {{job}}"),
                (rate("telemed_gateway_rate_limited_requests_total", "limit"), "limit of a {{limit}}"),
            ],
            "reqps",
        ),
        Panel(
            "In hand",
            [
                ("sum by (http_request_method) (http_server_active_requests)", "HTTP {{http_request_method}}"),
                ("sum(telemed_gateway_open_streams)", "streams of browsers"),
                ("sum by (job) (telemed_rpc_server_open_calls)", "RPC {{job}}"),
            ],
        ),
        Panel("Upstreams of the gateway", [("min by (upstream) (telemed_gateway_upstream_ready)", "{{upstream}}")]),
        Panel(
            "Event loop lag",
            [(quantile(0.99, "telemed_event_loop_lag_seconds", "job, instance"), "{{job}} {{instance}} p99")],
            "s",
        ),
        Panel(
            "Processor",
            [(f"rate(process_cpu_seconds_total{{{_OURS}}}[$__rate_interval])", "{{job}} {{instance}}")],
            "percentunit",
        ),
        Panel("Memory", [(f"process_resident_memory_bytes{{{_OURS}}}", "{{job}} {{instance}}")], "bytes"),
        Panel(
            "Descriptors", [(f"process_open_fds{{{_OURS}}} / process_max_fds", "{{job}} {{instance}}")], "percentunit"
        ),
        Panel(
            "Background work that failed",
            [
                (
                    "sum by (job, work) (increase(telemed_background_failures_total[$__rate_interval]))",
                    "{{job}} {{work}}",
                )
            ],
        ),
        Panel("Uptime", [(f"time() - process_start_time_seconds{{{_OURS}}}", "{{job}} {{instance}}")], "s"),
        Panel(
            "Releases",
            [("count by (service_name, version) (telemed_build_info)", "{{service_name}} {{version}}")],
            kind="stat",
        ),
    ],
)

POSTGRES = Board(
    "postgresql",
    "PostgreSQL",
    [
        Panel(
            "Pool",
            [
                ('sum by (job, instance) (db_client_connection_count{state="used"})', "{{job}} {{instance}} used"),
                ("sum by (job, instance) (db_client_connection_max)", "{{job}} {{instance}} most"),
            ],
        ),
        Panel(
            "Work that waits for a connection",
            [("sum by (job, instance) (db_client_connection_pending_requests)", "{{job}} {{instance}}")],
        ),
        Panel(
            "Wait for a connection",
            [(quantile(0.99, "db_client_connection_wait_time_seconds", "job"), "{{job}} p99")],
            "s",
        ),
        Panel("Work that got none", [(rate("db_client_connection_timeouts_total", "job"), "{{job}}")], "ops"),
        Panel(
            "Statements",
            [(f"topk(12, {rate(f'{_STATEMENTS}_count', 'job, db_query_summary')})", "{{job}} {{db_query_summary}}")],
            "ops",
        ),
        Panel(
            "Slowest statements",
            [
                (
                    f"topk(12, {quantile(0.99, _STATEMENTS, 'job, db_query_summary')})",
                    "{{job}} {{db_query_summary}} p99",
                )
            ],
            "s",
        ),
        Panel(
            "Statements that failed",
            [(rate(f"{_STATEMENTS}_count", "job, error_type", 'error_type!=""'), "{{job}} {{error_type}}")],
            "ops",
        ),
        Panel(
            "Connections of everybody",
            [("max by (db_namespace, state) (telemed_postgres_connections)", "{{db_namespace}} {{state}}")],
        ),
        Panel(
            "Transactions",
            [
                (
                    "max by (db_namespace, outcome) (rate(telemed_postgres_transactions_total[$__rate_interval]))",
                    "{{db_namespace}} {{outcome}}",
                )
            ],
            "ops",
        ),
        Panel(
            "Oldest transaction",
            [("max by (db_namespace) (telemed_postgres_oldest_transaction_seconds)", "{{db_namespace}}")],
            "s",
        ),
        Panel(
            "Deadlocks",
            [
                (
                    "max by (db_namespace) (increase(telemed_postgres_deadlocks_total[$__rate_interval]))",
                    "{{db_namespace}}",
                )
            ],
        ),
        Panel(
            "Trouble with connections",
            [
                (rate("telemed_db_connection_errors_total", "job"), "{{job}} could not connect"),
                (rate("telemed_db_connections_lost_total", "job"), "{{job}} lost one"),
            ],
            "ops",
        ),
    ],
)
