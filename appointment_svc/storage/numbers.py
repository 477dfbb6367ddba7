"""The ledger's numbers for Prometheus: attempts and what came of them, conflicts, and every change of a visit."""

from prometheus_client import Counter, Histogram

from appointment_svc.app.ports import Method
from chassis.metrics import REGISTRY

# `outcome` is BOOKED, or the reason of a refusal.
attempts = Counter(
    "telemed_booking_attempts",
    "Attempts to book, by the way of booking and what came of them.",
    ["method", "outcome"],
    registry=REGISTRY,
)
bookings = Counter(
    "telemed_bookings",
    "Bookings made, by the way of booking and whether the patient had completed a visit with that doctor before.",
    ["method", "preferred_doctor"],
    registry=REGISTRY,
)
for _method in Method:
    for _preferred in ("true", "false"):
        bookings.labels(_method.value, _preferred)
match_score = Histogram(
    "telemed_booking_match_score",
    "How well the doctor who was booked matched the wish, from 0 to 1.",
    ["method"],
    buckets=tuple(tenth / 10 for tenth in range(1, 11)),
    registry=REGISTRY,
)
conflicts = Counter(
    "telemed_ledger_conflicts",
    "Times at which the ledger refused what was asked; a booking that then took another time is counted too.",
    ["method", "reason"],
    registry=REGISTRY,
)
# `from_status` is empty where there was no visit before.
changes = Counter(
    "telemed_appointment_changes",
    "Changes of visits, by what happened and the status before.",
    ["change", "from_status"],
    registry=REGISTRY,
)
settled = Counter(
    "telemed_timeouts_settled",
    "Appointments that became something else by time alone, by the row of the table of timeouts.",
    ["timeout"],
    registry=REGISTRY,
)
