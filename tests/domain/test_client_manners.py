"""What the synchronous client sends and makes of answers, against grpc's own test channel."""

import threading
from collections.abc import Callable
from typing import Any

import grpc
import grpc_testing
import pytest
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2, status_pb2
from telemed.appointment.v1 import appointment_pb2, appointment_service_pb2
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub
from telemed.type.v1.scheduling_pb2 import Alternatives, AlternativeSlot

from telemed_client import BrokenRule, TelemedError, each
from telemed_client.sync import with_manners

SERVICE = appointment_service_pb2.DESCRIPTOR.services_by_name["AppointmentService"]
METHODS = SERVICE.methods_by_name
OK = grpc.StatusCode.OK


class Lenient:
    """grpc's test channel as a client sees it: it does not know two of the options that an interceptor passes on."""

    def __init__(self, channel: grpc_testing.Channel) -> None:
        self._channel = channel

    def __getattr__(self, kind: str) -> Any:
        def make(method: str, *coders: Any, **_: Any) -> Any:
            call = getattr(self._channel, kind)(method, *coders)
            return Lenient.Call(call)

        return make

    class Call:
        def __init__(self, call: Any) -> None:
            self._call = call

        def with_call(self, request: Any, *, timeout: Any, metadata: Any, credentials: Any, **_: Any) -> Any:
            return self._call.with_call(request, timeout, metadata, credentials)


@pytest.fixture
def channel() -> grpc_testing.Channel:
    return grpc_testing.channel([SERVICE], grpc_testing.strict_real_time())


@pytest.fixture
def stub(channel: grpc_testing.Channel) -> AppointmentServiceStub:
    return AppointmentServiceStub(with_manners(Lenient(channel), lambda: "my-token", 3.0))


def during(call: Callable[[], Any], serve: Callable[[], None]) -> Any:
    """What a blocking call answers or raises while the test plays the server."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(call())
        except Exception as error:  # noqa: BLE001 - the test looks at whatever it was
            outcome.append(error)

    caller = threading.Thread(target=run)
    caller.start()
    serve()
    caller.join(timeout=5)
    assert not caller.is_alive()
    return outcome[0]


def answer(channel: grpc_testing.Channel, method: str, reply: Any, seen: list[Any]) -> None:
    metadata, request, rpc = channel.take_unary_unary(METHODS[method])
    seen.append((dict(metadata), request))
    rpc.terminate(reply, (), OK, "")


def refuse(channel: grpc_testing.Channel, method: str, code: grpc.StatusCode, *details: Any) -> None:
    _, _, rpc = channel.take_unary_unary(METHODS[method])
    status = status_pb2.Status(code=code.value[0], message="told")
    for detail in details:
        packed = Packed()
        packed.Pack(detail)
        status.details.append(packed)
    trailers = (("grpc-status-details-bin", status.SerializeToString()),)
    rpc.terminate(None, trailers, code, "told")


def test_a_call_carries_the_token_and_a_key_of_its_own(channel, stub):
    seen: list[Any] = []
    request = appointment_service_pb2.BookRequest(patient_id="p")
    for _ in range(2):
        during(
            lambda: stub.Book(request),
            lambda: answer(channel, "Book", appointment_service_pb2.BookResponse(revision="r"), seen),
        )
    assert [metadata["authorization"] for metadata, _ in seen] == ["Bearer my-token"] * 2
    first, second = (sent.request_id for _, sent in seen)
    assert len(first) == 36
    assert first != second
    # The caller's own message is left as it was.
    assert request.request_id == ""


def test_a_key_that_the_caller_chose_is_kept(channel, stub):
    seen: list[Any] = []
    during(
        lambda: stub.Book(appointment_service_pb2.BookRequest(request_id="mine")),
        lambda: answer(channel, "Book", appointment_service_pb2.BookResponse(), seen),
    )
    assert seen[0][1].request_id == "mine"


def test_a_refusal_is_an_exception_with_all_that_it_says(channel, stub):
    error = during(
        lambda: stub.Book(appointment_service_pb2.BookRequest()),
        lambda: refuse(
            channel,
            "Book",
            grpc.StatusCode.ABORTED,
            error_details_pb2.ErrorInfo(reason="SLOT_TAKEN", domain="telemed", metadata={"a": "b"}),
            error_details_pb2.BadRequest(
                field_violations=[error_details_pb2.BadRequest.FieldViolation(field="f", description="d")]
            ),
            error_details_pb2.PreconditionFailure(
                violations=[
                    error_details_pb2.PreconditionFailure.Violation(type="TOO_SOON", subject="s", description="x")
                ]
            ),
            error_details_pb2.RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000)),
            Alternatives(slots=[AlternativeSlot(doctor_id="d2")]),
        ),
    )
    assert isinstance(error, TelemedError)
    assert (error.code, error.reason, str(error)) == (grpc.StatusCode.ABORTED, "SLOT_TAKEN", "SLOT_TAKEN: told")
    assert (error.metadata, error.retry_after) == ({"a": "b"}, 2.5)
    assert [(one.field, one.description) for one in error.violations] == [("f", "d")]
    assert error.rules == (BrokenRule("TOO_SOON", "s", "x"),)
    assert [slot.doctor_id for slot in error.alternatives] == ["d2"]
    assert isinstance(error.__cause__, grpc.RpcError)


def test_an_error_without_details_goes_by_its_code(channel, stub):
    error = during(
        lambda: stub.GetAppointment(appointment_service_pb2.GetAppointmentRequest(id="a")),
        lambda: refuse(channel, "GetAppointment", grpc.StatusCode.UNAVAILABLE),
    )
    assert (error.reason, error.retry_after) == (code_pb2.Code.Name(14), 1.0)


def test_a_list_is_read_page_by_page_as_it_is_used(channel, stub):
    pages = [
        appointment_service_pb2.ListAppointmentsResponse(
            appointments=[appointment_pb2.Appointment(id=f"{page}{n}") for n in range(2)], next_page_token=token
        )
        for page, token in (("a", "t1"), ("b", ""))
    ]
    seen: list[Any] = []

    def serve() -> None:
        for page in pages:
            answer(channel, "ListAppointments", page, seen)

    request = appointment_service_pb2.ListAppointmentsRequest(patient_id="p")
    found = during(
        lambda: [visit.id for visit in each(stub.ListAppointments, request, lambda page: page.appointments)], serve
    )
    assert found == ["a0", "a1", "b0", "b1"]
    assert [(sent.patient_id, sent.page_token) for _, sent in seen] == [("p", ""), ("p", "t1")]
