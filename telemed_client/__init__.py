"""A client of the telemed services for Python: the generated stubs, with the manners that every call should have.

Identity, a deadline, an idempotency key, safe retries, pages as iterators, and errors as exceptions with a reason.
"""

from telemed_client.aio import AsyncClient
from telemed_client.errors import BrokenRule, TelemedError, Violation
from telemed_client.options import Targets, breaking_the_glass, tls
from telemed_client.pages import each, each_async
from telemed_client.sync import Client

__all__ = [
    "AsyncClient",
    "BrokenRule",
    "Client",
    "Targets",
    "TelemedError",
    "Violation",
    "breaking_the_glass",
    "each",
    "each_async",
    "tls",
]
