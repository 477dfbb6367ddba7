"""How often a process looks for garbage that only a search finds: seldom, since every call waits while it looks."""

import gc

# Nearly everything is freed at once, by counting references; only what refers to itself in a circle waits to be found.
# With Python's own 700 a search over 500 doctors set off dozens of looks, some at all that is kept, such as the hours
# of 10,000 doctors: a third of its time, and most of its p95. 50,000 objects are some ten megabytes.
_NEW_OBJECTS = 50_000


def seek_seldom() -> None:
    """Leaves out of every later look what is there by now, which is the program, and spaces the looks out."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
