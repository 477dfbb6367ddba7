"""The clinic's numbers for Prometheus: what is open now, and the figures of the last thirty days."""

from prometheus_client import Gauge

from chassis.metrics import REGISTRY

open_now = Gauge(
    "telemed_appointments_open",
    "Visits in a passing state now: HELD, PENDING or IN_PROGRESS. Every replica shows the same.",
    ["status"],
    registry=REGISTRY,
)
unnumbered = Gauge(
    "telemed_feed_pending_changes",
    "Committed changes that no sequencer has numbered yet, up to 10,000. Every replica shows the same.",
    registry=REGISTRY,
)
audit_faults = Gauge(
    "telemed_audit_faults", "Faults that the last noted audit of the history found.", registry=REGISTRY
)
audit_age = Gauge(
    "telemed_audit_age_seconds", "Since when the history was not verified; infinite when never.", registry=REGISTRY
)
visits = Gauge(
    "telemed_clinic_visits",
    "Visits of the last 30 days, by what became of them. Shown by one replica.",
    ["outcome"],
    registry=REGISTRY,
)
visits_by_type = Gauge(
    "telemed_clinic_visits_by_type", "The same by the type of visit.", ["appointment_type"], registry=REGISTRY
)
visit_minutes = Gauge(
    "telemed_clinic_visit_minutes", "How long a completed visit of these 30 days lasted, on average.", registry=REGISTRY
)
continuity = Gauge(
    "telemed_clinic_continuity_ratio",
    "Of the completed visits that could have been with a doctor seen before, the share that were.",
    registry=REGISTRY,
)
match_score = Gauge("telemed_clinic_match_score", "The average match score of these visits, 0 to 1.", registry=REGISTRY)
bookings = Gauge(
    "telemed_clinic_bookings", "Bookings of the last 30 days, by the way of booking.", ["method"], registry=REGISTRY
)
success = Gauge(
    "telemed_clinic_booking_success_ratio",
    "The share of attempts of the last 30 days that became a booking.",
    ["method"],
    registry=REGISTRY,
)
