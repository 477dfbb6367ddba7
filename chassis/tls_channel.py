"""A channel over TLS that goes on with new certificates once the files of the old ones have changed."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import grpc

from chassis.tls import channel_credentials
from chassis.tls_files import Renewed, TlsFiles

# Files change every few weeks, and calls are many.
_LOOK_SECONDS = 1.0


class TlsChannel(grpc.aio.Channel):
    """grpc binds a channel to one certificate for as long as it lives, so this one is several, one after the other.

    A call is made on the newest; calls under way end on the channel on which they began, which goes with the last of
    them. Raises ValueError when the files cannot be used.
    """

    def __init__(self, target: str, files: TlsFiles, options: Sequence[tuple[str, Any]] = ()) -> None:
        self._target = target
        self._options = options
        self._renewed = Renewed(files)
        self._newest = self._open()
        self._look_at = time.monotonic() + _LOOK_SECONDS
        self._is_closed = False

    def _open(self) -> grpc.aio.Channel:
        return grpc.aio.secure_channel(self._target, channel_credentials(self._renewed.pems), options=self._options)

    def _current(self) -> grpc.aio.Channel:
        now = time.monotonic()
        if now >= self._look_at and not self._is_closed:
            self._look_at = now + _LOOK_SECONDS
            if self._renewed.has_changed():
                self._newest = self._open()
        return self._newest

    def _calling(self, kind: str, method: str, *coders: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            return getattr(self._current(), kind)(method, *coders)(*arguments, **options)

        return call

    # The further keyword is by which generated stubs announce their methods, once and to one channel.
    def unary_unary(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, **_: Any
    ) -> Any:
        """A call of that method, on the newest channel at the time."""
        return self._calling("unary_unary", method, request_serializer, response_deserializer)

    def unary_stream(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, **_: Any
    ) -> Any:
        """The same, with a stream of answers."""
        return self._calling("unary_stream", method, request_serializer, response_deserializer)

    def stream_unary(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, **_: Any
    ) -> Any:
        """The same, with a stream of requests."""
        return self._calling("stream_unary", method, request_serializer, response_deserializer)

    def stream_stream(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, **_: Any
    ) -> Any:
        """The same, with streams both ways."""
        return self._calling("stream_stream", method, request_serializer, response_deserializer)

    async def close(self, grace: float | None = None) -> None:
        """Makes no more calls, and ends those of the newest channel after the grace, in seconds."""
        self._is_closed = True
        await self._newest.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """How the newest channel is."""
        return self._current().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Waits until the newest channel is in another state than that."""
        await self._current().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Waits until the newest channel is connected."""
        await self._current().channel_ready()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
