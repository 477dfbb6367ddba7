"""The dashboards of the clinic: booking, the ledger and its feed, video visits."""

from tools.dashboards.panel import Board, Panel, latency, quantile, rate, share

_PROVIDER = "telemed_video_provider_call_duration_seconds"
_ATTEMPTS = "telemed_booking_attempts_total"
_BOOKINGS = "telemed_bookings_total"
_SCORE = "telemed_booking_match_score"

BOOKING = Board(
    "booking",
    "booking",
    [
        Panel(
            "Bookings of 30 days", [("max by (method) (telemed_clinic_bookings)", "{{method}}")], kind="stat", width=6
        ),
        Panel(
            "Success of 30 days",
            [("max by (method) (telemed_clinic_booking_success_ratio)", "{{method}}")],
            "percentunit",
            kind="stat",
            width=6,
        ),
        Panel(
            "Continuity of 30 days",
            [("max(telemed_clinic_continuity_ratio)", "with a doctor seen before")],
            "percentunit",
            kind="stat",
            width=6,
        ),
        Panel("Match score of 30 days", [("max(telemed_clinic_match_score)", "average")], kind="stat", width=6),
        Panel("Bookings", [(rate("telemed_bookings_total", "method"), "{{method}}")], "ops"),
        Panel("Attempts by outcome", [(rate("telemed_booking_attempts_total", "outcome"), "{{outcome}}")], "ops"),
        Panel(
            "Success, smart and manual",
            [
                (
                    share(rate(_ATTEMPTS, "method", 'outcome="BOOKED"'), rate(_ATTEMPTS, "method")),
                    "{{method}}",
                )
            ],
            "percentunit",
        ),
        Panel(
            "With the patient's own doctor",
            [
                (
                    share(rate(_BOOKINGS, where='preferred_doctor="true"'), rate(_BOOKINGS)),
                    "share of bookings",
                )
            ],
            "percentunit",
        ),
        Panel(
            "Match score",
            [
                (
                    share(rate(f"{_SCORE}_sum", "method"), rate(f"{_SCORE}_count", "method")),
                    "{{method}} average",
                ),
                (quantile(0.1, "telemed_booking_match_score", ""), "worst tenth"),
            ],
        ),
        Panel(
            "Conflicts", [(rate("telemed_ledger_conflicts_total", "method, reason"), "{{method}} {{reason}}")], "ops"
        ),
        Panel(
            "Holds",
            [
                (rate("telemed_appointment_changes_total", "", 'change="HELD"'), "made"),
                (
                    rate("telemed_appointment_changes_total", "", 'change=~"CONFIRMED|PENDING", from_status="HELD"'),
                    "confirmed",
                ),
                (rate("telemed_appointment_changes_total", "", 'change="EXPIRED"'), "run out"),
            ],
            "ops",
        ),
        Panel("Open now", [("max by (status) (telemed_appointments_open)", "{{status}}")]),
        Panel(
            "Answered from what was saved", [(rate("telemed_idempotent_replays_total", "method"), "{{method}}")], "ops"
        ),
        Panel("Visits of 30 days", [("max by (outcome) (telemed_clinic_visits)", "{{outcome}}")]),
        Panel(
            "Visits of 30 days by type",
            [("max by (appointment_type) (telemed_clinic_visits_by_type)", "{{appointment_type}}")],
        ),
        Panel("Length of a visit", [("max(telemed_clinic_visit_minutes)", "average")], "m"),
        Panel("Utilisation of the next days", [("telemed:utilisation:ratio", "{{days}} days")], "percentunit"),
        Panel("Free slots of the next days", [("max by (days) (telemed_availability_free_slots)", "{{days}} days")]),
        Panel("Doctors who can be booked", [("max(telemed_doctors_public)", "doctors")]),
        Panel("Age of the summary", [("min(telemed_availability_summary_age_seconds)", "age")], "s"),
    ],
)

LEDGER = Board(
    "ledger",
    "feed and ledger",
    [
        Panel("Changes a second", [("max(rate(telemed_feed_head_changes[$__rate_interval]))", "numbered")], "ops"),
        Panel("Changes that wait for a number", [("max(telemed_feed_pending_changes)", "waiting")]),
        Panel("What changed", [(rate("telemed_appointment_changes_total", "change"), "{{change}}")], "ops"),
        Panel(
            "Lag of the copies", [("max by (job, instance) (telemed_feed_lag_seconds)", "{{job}} {{instance}}")], "s"
        ),
        Panel(
            "Lag of the copies in changes",
            [("max by (job, instance) (telemed_feed_lag_changes)", "{{job}} {{instance}}")],
        ),
        Panel(
            "Since a copy heard of the feed",
            [("max by (job, instance) (telemed_feed_silence_seconds)", "{{job}} {{instance}}")],
            "s",
        ),
        Panel("Done by time alone", [(rate("telemed_timeouts_settled_total", "timeout"), "{{timeout}}")], "ops"),
        Panel("Conflicts by reason", [(rate("telemed_ledger_conflicts_total", "reason"), "{{reason}}")], "ops"),
        Panel(
            "Lost against another transaction",
            [(rate("telemed_db_contention_total", "job, sqlstate"), "{{job}} {{sqlstate}}")],
            "ops",
        ),
        Panel("Faults of the history", [("max(telemed_audit_faults)", "faults")], kind="stat"),
        Panel("Since the history was verified", [("max(telemed_audit_age_seconds)", "age")], "s", kind="stat"),
        Panel(
            "Deadlocks",
            [("max by (db_namespace) (increase(telemed_postgres_deadlocks_total[1h]))", "{{db_namespace}}")],
            kind="stat",
        ),
    ],
)

VIDEO = Board(
    "video",
    "video",
    [
        Panel("Visits under way", [("max by (state) (telemed_video_sessions_under_way)", "{{state}}")]),
        Panel("Appointments still to be told", [("max(telemed_video_notices_waiting)", "notices")]),
        Panel(
            "Ratings",
            [("sum by (rating) (increase(telemed_video_rated_visits_total[$__rate_interval]))", "{{rating}}")],
        ),
        Panel(
            "Mean opinion score",
            [
                (quantile(0.5, "telemed_video_mean_opinion_score", ""), "median"),
                (quantile(0.1, "telemed_video_mean_opinion_score", ""), "worst tenth"),
            ],
        ),
        Panel("Round trip", latency("telemed_video_round_trip_seconds", "", "round trip"), "s"),
        Panel("Jitter", latency("telemed_video_jitter_seconds", "", "jitter"), "s"),
        Panel("Packets lost", [(quantile(0.9, "telemed_video_packet_loss_ratio", ""), "worst tenth")], "percentunit"),
        Panel(
            "What was wrong",
            [("sum by (issue) (increase(telemed_video_connection_issues_total[$__rate_interval]))", "{{issue}}")],
        ),
        Panel(
            "Provider: calls",
            [
                (
                    rate(f"{_PROVIDER}_count", "video_provider, video_operation"),
                    "{{video_provider}} {{video_operation}}",
                )
            ],
            "reqps",
        ),
        Panel(
            "Provider: failures",
            [
                (
                    rate(f"{_PROVIDER}_count", "video_provider, error_type", 'error_type!=""'),
                    "{{video_provider}} {{error_type}}",
                )
            ],
            "reqps",
        ),
        Panel("Provider: duration", latency(_PROVIDER, "video_operation", "{{video_operation}}"), "s"),
    ],
)
