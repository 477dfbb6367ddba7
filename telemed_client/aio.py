"""The client for asyncio."""

from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Self

import grpc
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceStub
from telemed.video.v1.video_service_pb2_grpc import VideoServiceStub

from telemed_client.errors import error_from
from telemed_client.options import CHANNEL_OPTIONS, DEADLINE_SECONDS, Targets, Token, token_of, with_request_id
from telemed_client.throttle import Throttle


class _Base:
    def __init__(self, token: Token, deadline: float) -> None:
        self._token = token
        self._deadline = deadline

    def _details(self, details: Any, timeout: float | None) -> grpc.aio.ClientCallDetails:
        metadata = grpc.aio.Metadata(*(details.metadata or ()), ("authorization", f"Bearer {token_of(self._token)}"))
        return grpc.aio.ClientCallDetails(
            details.method, timeout, metadata, details.credentials, details.wait_for_ready
        )


class _Unary(_Base, grpc.aio.UnaryUnaryClientInterceptor):
    """Identity, deadline and idempotency key on the way out; errors with a reason on the way back."""

    def __init__(self, token: Token, deadline: float) -> None:
        super().__init__(token, deadline)
        self._throttle = Throttle()

    async def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        self._throttle.check()
        call = await continuation(self._details(details, details.timeout or self._deadline), with_request_id(request))
        try:
            await call
        except grpc.aio.AioRpcError as error:
            told = error_from(error)
            self._throttle.note(told)
            raise told from error
        self._throttle.note()
        return call


class _Stream(_Base, grpc.aio.UnaryStreamClientInterceptor):
    """The same for streams, which last until somebody ends them."""

    async def intercept_unary_stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        return _answers(await continuation(self._details(details, details.timeout), request))


async def _answers(call: Any) -> AsyncIterator[Any]:
    try:
        async for answer in call:
            yield answer
    except grpc.aio.AioRpcError as error:
        raise error_from(error) from error
    finally:
        call.cancel()


class AsyncClient:
    """The three services by their generated stubs. Every call raises TelemedError for a refusal."""

    def __init__(
        self,
        targets: Targets,
        token: Token,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        deadline: float = DEADLINE_SECONDS,
    ) -> None:
        """Connects when first used, in the running loop. Without credentials in the clear.

        `deadline` is the seconds that a unary call may take unless it says otherwise.
        """
        self._channels = [
            _channel(target, credentials, [_Unary(token, deadline), _Stream(token, deadline)])
            for target in (targets.appointment, targets.doctor, targets.video)
        ]
        self.appointments = AppointmentServiceStub(self._channels[0])
        self.doctors = DoctorServiceStub(self._channels[1])
        self.video = VideoServiceStub(self._channels[2])

    async def close(self) -> None:
        """Closes every connection."""
        for channel in self._channels:
            await channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _channel(target: str, credentials: grpc.ChannelCredentials | None, manners: Any) -> grpc.aio.Channel:
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS, interceptors=manners)
    return grpc.aio.secure_channel(target, credentials, options=CHANNEL_OPTIONS, interceptors=manners)
