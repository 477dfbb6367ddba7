"""The client for code with threads."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import grpc
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceStub
from telemed.video.v1.video_service_pb2_grpc import VideoServiceStub

from telemed_client.errors import error_from
from telemed_client.later import LaterAnswer
from telemed_client.options import CHANNEL_OPTIONS, DEADLINE_SECONDS, Targets, Token, token_of, with_request_id
from telemed_client.throttle import Throttle


@dataclass(frozen=True)
class _Details(grpc.ClientCallDetails):
    """What grpc asks of an interceptor that changes a call."""

    method: str
    timeout: float | None
    metadata: Any
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


class _Manners(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Identity, deadline and idempotency key on the way out; errors with a reason on the way back."""

    def __init__(self, token: Token, deadline: float) -> None:
        self._token = token
        self._deadline = deadline
        self._throttle = Throttle()

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        self._throttle.check()
        outcome = continuation(self._details(details, details.timeout or self._deadline), with_request_id(request))
        if isinstance(outcome, grpc.RpcError) and not isinstance(outcome, grpc.Future):
            # A channel of somebody's own, such as grpc_testing's, knows errors that are nothing else.
            told = error_from(outcome)
            self._throttle.note(told)
            raise told from outcome
        answer = LaterAnswer(outcome)
        answer.add_done_callback(self._note)
        return answer

    def _note(self, answer: LaterAnswer) -> None:
        if not answer.cancelled():
            self._throttle.note(answer.exception())

    def intercept_unary_stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        # A stream lasts until somebody ends it, so it has no deadline but the caller's.
        return _answers(continuation(self._details(details, details.timeout), request))

    def _details(self, details: Any, timeout: float | None) -> _Details:
        metadata = [*(details.metadata or ()), ("authorization", f"Bearer {token_of(self._token)}")]
        return _Details(
            details.method,
            timeout,
            metadata,
            details.credentials,
            getattr(details, "wait_for_ready", None),
            getattr(details, "compression", None),
        )


def _answers(call: Any) -> Iterator[Any]:
    try:
        yield from call
    except grpc.RpcError as error:
        raise error_from(error) from error
    finally:
        call.cancel()


class Client:
    """The three services by their generated stubs. Every call raises TelemedError for a refusal."""

    def __init__(
        self,
        targets: Targets,
        token: Token,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        deadline: float = DEADLINE_SECONDS,
    ) -> None:
        """Connects when first used. Without credentials in the clear: for this machine or inside a mesh.

        `deadline` is the seconds that a unary call may take unless it says otherwise.
        """
        self._channels = [
            _channel(target, credentials) for target in (targets.appointment, targets.doctor, targets.video)
        ]
        manners = [with_manners(channel, token, deadline) for channel in self._channels]
        self.appointments = AppointmentServiceStub(manners[0])
        self.doctors = DoctorServiceStub(manners[1])
        self.video = VideoServiceStub(manners[2])

    def close(self) -> None:
        """Closes every connection."""
        for channel in self._channels:
            channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def with_manners(channel: grpc.Channel, token: Token, deadline: float = DEADLINE_SECONDS) -> grpc.Channel:
    """A channel of your own, such as a test's, with the manners of this client."""
    return grpc.intercept_channel(channel, _Manners(token, deadline))


def _channel(target: str, credentials: grpc.ChannelCredentials | None) -> grpc.Channel:
    if credentials is None:
        return grpc.insecure_channel(target, options=CHANNEL_OPTIONS)
    return grpc.secure_channel(target, credentials, options=CHANNEL_OPTIONS)
