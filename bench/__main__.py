"""Every benchmark, one after the other: `python -m bench`."""

import uvloop

from bench import availability, booking, feed_lag


async def main() -> None:
    """Measures and prints; some two and a half minutes."""
    for benchmark in (booking, availability, feed_lag):
        await benchmark.main()


if __name__ == "__main__":
    uvloop.run(main())
