"""JSON text to Python values, strictly: RFC 8259 and no further, with a limit to the depth."""

import json
import re

from gateway.codec.errors import BadValue, json_path

MAX_DEPTH = 20
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


class TwiceGiven(dict[str, object]):
    """An object in which a key stands twice. JSON leaves open which one counts, so whoever reads it refuses it."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


def loads(body: bytes) -> object:
    """The value of a JSON text; an empty text is an empty object.

    Raises BadValue for anything but UTF-8 JSON of at most 20 levels. What only a reader of fields can place is left
    to it: an object with a key twice comes back as TwiceGiven, NaN and Infinity as the floats that they are.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise BadValue("the body must be UTF-8") from None
    if not text or text.isspace():
        return {}
    _check_depth(text)
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise BadValue(f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except ValueError:
        # The only other one: an integer of more digits than the interpreter converts.
        raise BadValue("the body holds a number that is too long") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    return TwiceGiven(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]


_decoder = json.JSONDecoder(object_pairs_hook=_object)


def _check_depth(text: str) -> None:
    """Finds the place that is nested too deeply, before the parser's own recursion meets it."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    keys: list[str] = []
    key = ""
    for token in _BRACKETS.finditer(text):
        mark = token[0]
        if mark in "[{":
            if len(keys) == MAX_DEPTH:
                raise _too_deep([*keys, key])
            keys.append(key)
        elif mark in "]}" and keys:
            keys.pop()
        # Only a string right before a bracket is its key.
        key = mark[1:-1] if mark[0] == '"' else ""


def _too_deep(keys: list[str]) -> BadValue:
    return BadValue(f"is nested more than {MAX_DEPTH} levels deep").inside(json_path([key for key in keys if key]))
