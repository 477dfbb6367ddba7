"""The API page: the OpenAPI document as plain HTML, without a script."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any

from gateway.openapi.schemas import Schema
from gateway.problems import PROBLEM_TYPE

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h2 { border-bottom: 1px solid var(--line); margin-top: 3rem; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
code, pre { background: var(--soft); border-radius: .2rem; font: .9em/1.4 ui-monospace, monospace; padding: 0 .2em; }
pre { overflow-x: auto; padding: .6rem; }
table { border-collapse: collapse; width: 100%; }
td, th { border-top: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; }
.verb { display: inline-block; font-weight: 700; min-width: 4.5rem; }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# Nothing but this one style: no script, no picture, no other place.
CONTENT_SECURITY_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; base-uri 'none'"


def page_of(document: Schema) -> str:
    """The whole page."""
    info = document["info"]
    sections = "".join(_section(document, tag) for tag in document["tags"])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}: the API</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1><p>{_prose(info['description'])}</p>"
        "<p>Send <code>Authorization: Bearer &lt;token&gt;</code>. Refusals are <code>application/problem+json</code> "
        'with a <code>reason</code>. For programs: <a href="/openapi.json">openapi.json</a>.</p>'
        f"{sections}{_reasons(document)}</body></html>"
    )


def _prose(text: str) -> str:
    """Words of the document, which by OpenAPI are Markdown; ours know no more of it than `code`."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def _reasons(document: Schema) -> str:
    told = document["components"]["schemas"]["Problem"]["properties"]["reason"]["x-enumDescriptions"]
    rows = (f"<tr><td><code>{name}</code></td><td>{_prose(meaning)}</td></tr>" for name, meaning in told.items())
    return f"<h2>Reasons</h2><p>Why a request may be refused.</p>{_table(rows)}"


def _section(document: Schema, tag: Schema) -> str:
    operations = "".join(
        _operation(document, verb, path, operation)
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
        if operation["tags"] == [tag["name"]]
    )
    return f"<h2>{escape(tag['name'])}</h2><p>{_prose(tag['description'])}</p>{operations}"


def _operation(document: Schema, verb: str, path: str, operation: Schema) -> str:
    parts = [f"<p>{_prose(operation['description'])}</p>"]
    parameters = [_resolved(document, one) for one in operation["parameters"]]
    if parameters:
        rows = (
            _row(one["name"], f"{one['in']}, {_kind(one['schema'])}", one, needed=one["required"]) for one in parameters
        )
        parts.append(f"<h4>Parameters</h4>{_table(rows)}")
    body = operation.get("requestBody", {}).get("content", {})
    answers = operation["responses"]["200"]["content"]
    parts += [f"<h4>Body</h4>{_content(document, content)}" for content in body.values()]
    parts += [
        f"<h4>Answer <small>{escape(kind)}</small></h4>{_content(document, one)}" for kind, one in answers.items()
    ]
    parts.append(f"<h4>Refusals</h4>{_table(_refusals(document, operation))}")
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><span class="verb">{verb.upper()}</span>'
        f"<code>{escape(path)}</code> {_prose(operation['summary'])}</summary>{''.join(parts)}</details>"
    )


def _refusals(document: Schema, operation: Schema) -> Iterator[str]:
    for status, response in operation["responses"].items():
        problem = _resolved(document, response)["content"].get(PROBLEM_TYPE)
        if problem is not None:
            narrowed = problem["schema"]["allOf"][-1]
            names = ", ".join(f"<code>{name}</code>" for name in narrowed["properties"]["reason"]["enum"])
            yield f"<tr><td>{status}</td><td>{names}</td></tr>"


def _content(document: Schema, content: Schema) -> str:
    return _fields(document, content["schema"]) + _example(content)


def _fields(document: Schema, schema: Schema) -> str:
    found = _resolved(document, schema)
    needed = found.get("required", ())
    rows = (_row(name, _kind(one), one, needed=name in needed) for name, one in found.get("properties", {}).items())
    return _table(rows)


def _table(rows: Iterator[str]) -> str:
    return f"<table>{''.join(rows)}</table>"


def _row(name: str, kind: str, told: Schema, *, needed: bool) -> str:
    star = " (required)" if needed else ""
    return (
        f"<tr><td><code>{escape(name)}</code>{star}</td><td>{escape(kind)}</td>"
        f"<td>{_prose(told.get('description', ''))}</td></tr>"
    )


def _kind(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return _kind(schema["anyOf"][0])
    kind = schema.get("type", "any")
    # Of a value that may be null, the other kind is told.
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == "array":
        return f"list of {_kind(schema['items'])}" if "items" in schema else "list"
    return str(schema.get("format") or kind)


def _example(content: Schema) -> str:
    if "example" not in content:
        return ""
    return f"<pre>{escape(json.dumps(content['example'], indent=2))}</pre>"


def _resolved(document: Schema, schema: Schema) -> Any:
    if "$ref" not in schema:
        return schema
    found: Any = document
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found
