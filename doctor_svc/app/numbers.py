"""The numbers of what doctors offer, for Prometheus, as of the last refresh of the summary."""

from prometheus_client import Gauge

from chassis.metrics import REGISTRY

public_doctors = Gauge(
    "telemed_doctors_public", "Doctors who can be found and booked, as of the last summary.", registry=REGISTRY
)
offered_minutes = Gauge(
    "telemed_availability_offered_minutes", "Minutes offered in the next 7 or 14 days.", ["days"], registry=REGISTRY
)
booked_minutes = Gauge(
    "telemed_availability_booked_minutes", "Of these, the minutes that are booked.", ["days"], registry=REGISTRY
)
free_slots = Gauge("telemed_availability_free_slots", "Slots that are free in these days.", ["days"], registry=REGISTRY)
summary_age = Gauge(
    "telemed_availability_summary_age_seconds", "Since when the summary has not been refreshed.", registry=REGISTRY
)
