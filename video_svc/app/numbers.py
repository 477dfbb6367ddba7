"""The numbers of visits for Prometheus: how good connections are, and how many visits there are now."""

from prometheus_client import Gauge, Histogram

from chassis.metrics import REGISTRY, SECONDS

mean_opinion_score = Histogram(
    "telemed_video_mean_opinion_score",
    "The mean opinion score of an interval of one participant's connection, 1 to 4.5.",
    buckets=(1.5, 2.0, 2.5, 3.0, 3.5, 3.6, 4.0, 4.3, 4.5),
    registry=REGISTRY,
)
round_trip_seconds = Histogram(
    "telemed_video_round_trip_seconds",
    "The round trip between the browsers, or between a browser and the provider, as browsers measured it.",
    buckets=SECONDS,
    registry=REGISTRY,
)
under_way = Gauge(
    "telemed_video_sessions_under_way", "Visits in that state now, in the whole clinic.", ["state"], registry=REGISTRY
)
notices_waiting = Gauge(
    "telemed_video_notices_waiting", "What the appointment service has still to be told.", registry=REGISTRY
)
