"""An answer that may still be under way, whose refusal is a TelemedError."""

from collections.abc import Callable
from typing import Any

import grpc

from telemed_client.errors import TelemedError, error_from


class LaterAnswer:
    """A call as grpc's own future, but for its errors. `Book.future(…)` gives one; a plain call asks it at once.

    What it holds may be a call under way, which by its type is an error, whatever will come of it.
    """

    def __init__(self, outcome: Any) -> None:
        """`outcome` is grpc's own: a call and a future in one."""
        self._outcome = outcome

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outcome, name)

    def result(self, timeout: float | None = None) -> Any:
        """The answer, once it is there. Raises TelemedError; grpc.FutureTimeoutError, FutureCancelledError as grpc."""
        try:
            return self._outcome.result(timeout)
        except grpc.RpcError as error:
            raise error_from(error) from error

    def exception(self, timeout: float | None = None) -> TelemedError | None:
        """The refusal, once it is told, or None. Raises as `result` does for who waits no longer."""
        error = self._outcome.exception(timeout)
        return None if error is None else error_from(error)

    def add_done_callback(self, tell: Callable[["LaterAnswer"], None]) -> None:
        """Calls `tell` with this call once it has ended."""
        self._outcome.add_done_callback(lambda _: tell(self))
