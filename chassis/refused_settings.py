"""What a process says when it cannot be started as it is configured: a line for each setting, and no stack."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError


@contextmanager
def told_plainly() -> Iterator[None]:
    """Ends the process with 1 when settings are refused. Values are not told: they may be secrets."""
    try:
        yield
    except ValidationError as error:
        for line in sentences_of(error):
            # Before logging has been set up, which these settings would decide about.
            sys.stderr.write(f"cannot start: {line}\n")
        raise SystemExit(1) from None


def sentences_of(error: ValidationError) -> list[str]:
    """What is wrong with each setting; a sentence of ours names its variables itself."""
    found = error.errors(include_url=False, include_input=False)
    return [
        ": ".join(
            [*([f"{error.title}.{one['loc'][0]}"] if one["loc"] else []), one["msg"].removeprefix("Value error, ")]
        )
        for one in found
    ]
