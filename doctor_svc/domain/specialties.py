"""How names of specialties are compared: trimmed, and letters of either case are the same."""

from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=1024)  # a clinic has few, and a match asks for those of every doctor
def specialty_key(name: str) -> str:
    """The form in which two spellings of one specialty are equal; empty for an empty name."""
    return name.strip().casefold()


def specialty_keys(names: Iterable[str]) -> list[str]:
    """The forms of several names, each once, in order."""
    return list(dict.fromkeys(specialty_key(name) for name in names))
