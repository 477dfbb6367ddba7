"""Which samples of a connection can be: what no browser could have measured is refused by its field."""

import math
from collections.abc import Sequence

from kernel.errors import InvalidArgument
from video_svc.domain.quality import Sample

MOST_SAMPLES = 60
_RANGES = {
    "number": (1, 1_000_000),
    "seconds": (1, 60),
    "round_trip_ms": (0, 60_000),
    "jitter_ms": (0, 60_000),
    "loss_percent": (0, 100),
    "bitrate_kbps": (0, 1_000_000),
}


def check_samples(samples: Sequence[Sample]) -> None:
    """Lets pass samples of one report. Raises InvalidArgument naming the field and its range."""
    if not 1 <= len(samples) <= MOST_SAMPLES:
        raise InvalidArgument.of("samples", f"must be 1 to {MOST_SAMPLES}")
    for index, sample in enumerate(samples):
        for name, (least, most) in _RANGES.items():
            value = getattr(sample, name)
            if not math.isfinite(value) or not least <= value <= most:
                raise InvalidArgument.of(f"samples[{index}].{name}", f"must be {least} to {most}")
    if len({sample.number for sample in samples}) != len(samples):
        raise InvalidArgument.of("samples", "must each have a number of its own")
