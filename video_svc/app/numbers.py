"""The numbers of visits for Prometheus: how good connections are, and how many visits there are now."""

from prometheus_client import Counter, Gauge, Histogram

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
lost_packets_ratio = Histogram(
    "telemed_video_packet_loss_ratio",
    "The share of packets lost in an interval of one participant's connection, 0 to 1.",
    buckets=(0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
    registry=REGISTRY,
)
jitter_seconds = Histogram(
    "telemed_video_jitter_seconds",
    "How unevenly packets came in an interval of one participant's connection.",
    buckets=SECONDS,
    registry=REGISTRY,
)
# Two replicas may rate one visit: its rating is the same, and counted by both.
rated_visits = Counter(
    "telemed_video_rated_visits", "Visits rated after their end, 1 to 5, or none.", ["rating"], registry=REGISTRY
)
issues = Counter("telemed_video_connection_issues", "Visits in which that was wrong.", ["issue"], registry=REGISTRY)
under_way = Gauge(
    "telemed_video_sessions_under_way", "Visits in that state now, in the whole clinic.", ["state"], registry=REGISTRY
)
notices_waiting = Gauge(
    "telemed_video_notices_waiting", "What the appointment service has still to be told.", registry=REGISTRY
)
