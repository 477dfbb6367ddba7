"""Every benchmark, one after the other: `python -m bench`."""

import uvloop

from bench import availability, booking, feed_lag, signalling


async def main() -> None:
    """Measures and prints; some four minutes."""
    for benchmark in (booking, availability, feed_lag, signalling):
        await benchmark.main()


if __name__ == "__main__":
    uvloop.run(main())
