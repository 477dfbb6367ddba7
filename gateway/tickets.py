"""Single-use tickets: a browser's EventSource can send no header, and a token has no place in a URL."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from gateway.http import Request

TICKET = "ticket"


def split_ticket(request: Request) -> tuple[str, Request]:
    """The ticket of a request that brings one in place of a token, and the request without it; else an empty one."""
    if "authorization" in request.headers or f"{TICKET}=" not in request.query:
        return "", request
    pairs = parse_qsl(request.query, keep_blank_values=True)
    tickets = [text for name, text in pairs if name == TICKET]
    if len(tickets) != 1 or not tickets[0].isascii():
        return "", request
    rest = urlencode([(name, text) for name, text in pairs if name != TICKET])
    return tickets[0], replace(request, query=rest)
