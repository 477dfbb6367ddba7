"""What a reader says about a value that it cannot take, and where in the request the value stands."""

from kernel.errors import InvalidArgument, Violation

# A path is made of the caller's own keys, so it is cut before it can fill an answer or a log.
_LONGEST_PATH = 200


class BadValue(ValueError):
    """A value that does not fit; readers further out add where it stands. The text never quotes the value."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description
        self._steps: list[str | int] = []

    def inside(self, step: str | int) -> "BadValue":
        """The same, one level further out: inside the field or list index `step`."""
        self._steps.append(step)
        return self

    @property
    def path(self) -> str:
        """Where the value stands, such as `rule.blocks[2].start`; empty for the request as a whole."""
        return json_path(list(reversed(self._steps)))

    def refusal(self) -> InvalidArgument:
        """The same as the refusal of the request."""
        path = self.path
        if not path:
            return InvalidArgument(self.description)
        return InvalidArgument(f"{path}: {self.description}", violations=(Violation(path, self.description),))


def json_path(steps: list[str | int]) -> str:
    """The steps from the outside in, as people write them."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text if len(text) <= _LONGEST_PATH else f"{text[:_LONGEST_PATH]}…"
