"""Path templates of google.api.http: `/shelves/{shelf}/books/{name=**}:read`, parsed into segments and variables."""

import re
from dataclasses import dataclass

ANY = "*"
REST = "**"
_TEMPLATE = re.compile(r"(?:/(?:\{[^{}]*\}|[^{}/]+))+")
_VARIABLE = re.compile(r"\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)(?:=([^{}]+))?\}")
_LITERAL = re.compile(r"[A-Za-z0-9._~\-]+")
_VERB = re.compile(r":([A-Za-z][A-Za-z0-9]*)$")
_SPLIT = re.compile(r"/(\{[^{}]*\}|[^{}/]+)")


@dataclass(frozen=True, slots=True)
class Variable:
    """A field of the request and the segments `[start, end)` that it is read from; an `end` of None is the last."""

    field: str
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template. Each segment is a literal, ANY or REST; `verb` is what follows the colon, or empty."""

    text: str
    segments: tuple[str, ...]
    variables: tuple[Variable, ...]
    verb: str


def parse_template(text: str) -> Template:
    """The template that a text writes. Raises ValueError for what the grammar does not know, or we do not carry."""
    found = _VERB.search(text)
    verb = found[1] if found else ""
    path = text[: found.start()] if found else text
    if not _TEMPLATE.fullmatch(path):
        raise ValueError(f"{text!r} is not a path template")
    segments: list[str] = []
    variables: list[Variable] = []
    for part in _SPLIT.findall(path):
        if not part.startswith("{"):
            segments.append(_segment(part, text))
            continue
        variable = _VARIABLE.fullmatch(part)
        if variable is None:
            raise ValueError(f"{text!r}: {part} is not a variable")
        start = len(segments)
        segments += [_segment(inner, text) for inner in (variable[2] or ANY).split("/")]
        end = None if segments[-1] == REST else len(segments)
        variables.append(Variable(variable[1], start, end))
    if REST in segments[:-1]:
        raise ValueError(f"{text!r}: ** can only be the last segment")
    if len({variable.field for variable in variables}) != len(variables):
        raise ValueError(f"{text!r}: a variable stands twice")
    return Template(text, tuple(segments), tuple(variables), verb)


def _segment(text: str, template: str) -> str:
    if text not in (ANY, REST) and not _LITERAL.fullmatch(text):
        raise ValueError(f"{template!r}: {text!r} is not a segment")
    return text
