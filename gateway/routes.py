"""The route table: which RPC answers a path, from the google.api.http annotations in the descriptors."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor

from gateway.codec.errors import BadValue
from gateway.codec.text import TextField
from gateway.templates import ANY, REST, Template, Variable, parse_template

WHOLE_BODY = "*"
# The kind of a custom pattern that answers every HTTP method which nothing else at its path does.
ANY_METHOD = "*"
_PREFIX = "/api/"
_PATTERNS = ("get", "put", "post", "delete", "patch")
_BODILESS = frozenset({"GET", "HEAD"})
Target = TypeVar("Target")


@dataclass(frozen=True, slots=True)
class Binding:
    """One annotated way to call an RPC.

    `verb` may be ANY_METHOD; `body` is empty, WHOLE_BODY, or a field of the request; `response_body` is empty, or the
    field of the answer that is sent in its place.
    """

    verb: str
    template: Template
    method: MethodDescriptor
    body: str
    response_body: str = ""

    @property
    def name(self) -> str:
        """Verb and template, such as `GET /shelves/{shelf}`."""
        return f"{self.verb} {self.template.text}"


def bindings_of(service: ServiceDescriptor) -> Iterator[Binding]:
    """Every annotated binding of a service. Raises ValueError for an annotation that this gateway cannot honour."""
    for method in service.methods:
        options = method.GetOptions()
        if options.HasExtension(annotations_pb2.http):
            rule = options.Extensions[annotations_pb2.http]
            for one in (rule, *rule.additional_bindings):
                try:
                    yield _binding(method, one)
                except (ValueError, BadValue) as error:
                    raise ValueError(f"{method.full_name}: {error}") from error


def _binding(method: MethodDescriptor, rule: http_pb2.HttpRule) -> Binding:
    pattern = rule.WhichOneof("pattern")
    if pattern in _PATTERNS:
        verb, path = pattern.upper(), getattr(rule, pattern)
    elif pattern == "custom" and (rule.custom.kind.isalpha() or rule.custom.kind == ANY_METHOD):
        verb, path = rule.custom.kind.upper(), rule.custom.path
    else:
        raise ValueError("the annotation names no HTTP method")
    if method.client_streaming:
        raise ValueError("a stream of requests has no HTTP form")
    if rule.body and verb in _BODILESS:
        raise ValueError(f"{verb} takes no body")
    if rule.body != WHOLE_BODY:
        _check_field("body", rule.body, method.input_type)
    _check_field("response_body", rule.response_body, method.output_type)
    template = parse_template(path)
    for variable in template.variables:
        if TextField.find(method.input_type, variable.field).field.is_repeated:
            raise ValueError(f"{variable.field} is repeated and cannot be part of a path")
    return Binding(verb, template, method, rule.body, rule.response_body)


def _check_field(what: str, name: str, message: Descriptor) -> None:
    if name and name not in message.fields_by_name:
        raise ValueError(f"{what} {name!r} is not a field of {message.name}")


@dataclass(frozen=True, slots=True)
class Found(Generic[Target]):
    """What stands at a path: a target per HTTP method, and the raw segments that its variables read."""

    targets: Mapping[str, Target]
    segments: tuple[str, ...]

    def target(self, method: str) -> Target | None:
        """What answers an HTTP method: what is bound to it, else what is bound to all."""
        return self.targets.get(method) or self.targets.get(ANY_METHOD)

    def text_of(self, variable: Variable) -> str:
        """The text of a variable, percent-decoded; an encoded slash stays encoded where slashes separate segments.

        Raises BadValue when it is not UTF-8.
        """
        several = variable.end is None or variable.end - variable.start > 1
        try:
            return "/".join(
                decode_segment(raw, keep_slash=several) for raw in self.segments[variable.start : variable.end]
            )
        except UnicodeDecodeError:
            raise BadValue("must be UTF-8").inside(variable.field) from None


def decode_segment(raw: str, *, keep_slash: bool = False) -> str:
    """A path segment without its percent-encoding. Raises UnicodeDecodeError when it is not UTF-8."""
    if "%" not in raw:
        return raw
    if keep_slash:
        raw = raw.replace("%2F", "%252F").replace("%2f", "%252f")
    return unquote(raw, errors="strict")


@dataclass(slots=True)
class _Node(Generic[Target]):
    children: dict[str, "_Node[Target]"] = field(default_factory=dict)
    # By the verb after the colon, then by HTTP method.
    targets: dict[str, dict[str, Target]] = field(default_factory=dict)


class RouteTable(Generic[Target]):
    """A tree of path segments. A literal wins over a variable, and that over `**`, segment by segment from the left."""

    def __init__(self, routes: Iterable[tuple[Binding, Target]]) -> None:
        self._root: _Node[Target] = _Node()
        for binding, target in routes:
            self._add(binding, target)

    def _add(self, binding: Binding, target: Target) -> None:
        node = self._root
        for segment in binding.template.segments:
            node = node.children.setdefault(segment, _Node())
        targets = node.targets.setdefault(binding.template.verb, {})
        if binding.verb in targets:
            raise ValueError(f"two RPCs are bound to {binding.name}")
        targets[binding.verb] = target

    def find(self, path: str) -> Found[Target] | None:
        """What stands at a percent-encoded path, with or without /api before it; None when nothing does."""
        if path.startswith(_PREFIX):
            path = path[len(_PREFIX) - 1 :]
        segments = tuple(path[1:].split("/"))
        head, colon, verb = segments[-1].rpartition(":")
        if colon:
            targets = self._descend(self._root, (*segments[:-1], head), 0, verb)
            if targets is not None:
                return Found(targets, (*segments[:-1], head))
        targets = self._descend(self._root, segments, 0, "")
        return None if targets is None else Found(targets, segments)

    def _descend(
        self, node: _Node[Target], segments: tuple[str, ...], depth: int, verb: str
    ) -> Mapping[str, Target] | None:
        # `**` stands for no segments too.
        rest = node.children.get(REST)
        of_rest = rest.targets.get(verb) if rest is not None else None
        if depth == len(segments):
            return node.targets.get(verb) or of_rest
        if not segments[depth]:
            return of_rest
        for step in (_literal(segments[depth]), ANY):
            child = node.children.get(step)
            if child is not None:
                targets = self._descend(child, segments, depth + 1, verb)
                if targets is not None:
                    return targets
        return of_rest


def _literal(raw: str) -> str:
    """A segment as a literal of a template would be spelled; what cannot be one comes back as it is."""
    try:
        decoded = decode_segment(raw)
    except UnicodeDecodeError:
        return raw
    # A star sent by a caller is text and not the wildcard that the tree keeps under that name.
    return "" if decoded in (ANY, REST) else decoded
