"""Who may do what to whose object: every RPC of every service, as every role, about one's own and about another's.

What is expected is read off the table of policies (chassis/policy.py); the requests are in authorization_requests.py.
"""

from dataclasses import dataclass, replace
from uuid import uuid4

import grpc
import pytest
from authorization_requests import BUILDERS, prepare
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

import appointment_svc.api.policy
import doctor_svc.api.policy
import video_svc.api.policy
from chassis.client import rpc_name
from chassis.context import Role
from chassis.policy import Others, Policy, Scope
from gateway.discovery import installed_services
from tests.fix_strangers import Side, Strangers
from tests.refusals import reason_of

Code = grpc.StatusCode
POLICY: Policy = {
    **appointment_svc.api.policy.POLICY,
    **doctor_svc.api.policy.POLICY,
    **video_svc.api.policy.POLICY,
}
METHODS = [method for service in installed_services("telemed") for method in service.methods]
# What a call may end with that was let in: it worked, or a rule of the matter itself stood in its way.
LET_IN = {Code.OK, Code.FAILED_PRECONDITION, Code.ABORTED, Code.ALREADY_EXISTS}


@dataclass(frozen=True)
class Who:
    """Somebody who calls; without a role nobody."""

    name: str
    role: Role | None
    actor: str = ""


PATIENT, DOCTOR = Who("patient", Role.PATIENT), Who("doctor", Role.DOCTOR)
EVERYBODY = [
    PATIENT,
    Who("guardian", Role.PATIENT, actor=str(uuid4())),
    DOCTOR,
    Who("admin", Role.ADMIN),
    Who("service", Role.SERVICE),
    Who("nobody", None),
]


@dataclass(frozen=True)
class Ending:
    """How a call ended: its code, what was answered, and what was said where it was refused."""

    code: grpc.StatusCode
    reply: Message | None = None
    said: tuple[str, str] = ("", "")


async def call(strangers: Strangers, method: MethodDescriptor, who: Who, side: Side) -> Ending:
    request = BUILDERS[method.name](side, who.role or Role.PATIENT)
    rpc = getattr(strangers.stub(method.containing_service.name), method.name)
    answer = rpc(request, metadata=metadata_of(strangers, who), timeout=30)
    try:
        reply = await (anext(aiter(answer)) if method.server_streaming else answer)
    except grpc.aio.AioRpcError as error:
        return Ending(error.code(), None, (reason_of(error), error.details() or ""))
    finally:
        answer.cancel()
    return Ending(Code.OK, reply)


async def meet(strangers: Strangers, method: MethodDescriptor) -> None:
    """Brings both visits to where the method makes sense."""
    if method.containing_service.name == "VideoService":
        await strangers.knock()
        if method.name not in {"Admit", "Reject"}:
            await strangers.admit()


def metadata_of(strangers: Strangers, who: Who) -> list[tuple[str, str]]:
    if who.role is None:
        return []
    own = {Role.PATIENT: strangers.own.patient_id, Role.DOCTOR: strangers.own.doctor_id}
    return strangers.pair.callers.metadata(who.role, own.get(who.role, str(uuid4())), actor=who.actor)


def judge(method: MethodDescriptor, who: Who, side: Side, ending: Ending) -> str:
    """What is wrong with how a call ended; empty when the table says so."""
    rule, code = POLICY[rpc_name(method)], ending.code
    if who.role is None:
        return "" if code is Code.UNAUTHENTICATED else f"{code} where nobody has a token"
    scope = rule.scope(who.role)
    if scope is Scope.NONE:
        return "" if code is Code.PERMISSION_DENIED else f"{code} where the role may not call"
    if scope is Scope.ALL or side.is_own:
        if rule.others is Others.LEFT_OUT and (ending.reply is None or not mentions(ending.reply, side)):
            return "what may be told is left out"
        return "" if code in LET_IN else f"{code} {ending.said} where it is allowed"
    expected = {Others.NOT_FOUND: Code.NOT_FOUND, Others.REFUSED: Code.PERMISSION_DENIED, Others.LEFT_OUT: Code.OK}
    if code is not expected[rule.others]:
        return f"{code} {ending.said} where another's is {rule.others}"
    return "another's is told" if ending.reply is not None and mentions(ending.reply, side) else ""


def mentions(reply: Message, side: Side) -> bool:
    return any(told.encode() in reply.SerializeToString() for told in (side.appointment_id, side.patient_id))


def test_every_rpc_has_a_row_and_a_request():
    assert {rpc_name(method) for method in METHODS} == set(POLICY)
    # Where several services have an RPC of one name, it means the same in each.
    assert {method.name for method in METHODS} == set(BUILDERS)


@pytest.mark.parametrize("method", METHODS, ids=rpc_name)
async def test_the_table_is_what_the_services_do(strangers: Strangers, method: MethodDescriptor):
    await meet(strangers, method)
    wrong = []
    for who in EVERYBODY:
        for side in (strangers.own, strangers.other):
            await prepare(method.name, strangers, side)
            if problem := judge(method, who, side, await call(strangers, method, who, side)):
                wrong.append(f"{who.name}, {'own' if side.is_own else 'other'}: {problem}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "method", [m for m in METHODS if POLICY[rpc_name(m)].others is not Others.NOBODYS], ids=rpc_name
)
async def test_anothers_is_told_apart_from_nothing_by_nobody(strangers: Strangers, method: MethodDescriptor):
    await meet(strangers, method)
    rule = POLICY[rpc_name(method)]
    for who in (PATIENT, DOCTOR):
        assert who.role is not None
        if rule.scope(who.role) is Scope.OWN:
            await prepare(method.name, strangers, strangers.other)
            others, nothings = [
                await call(strangers, method, who, side) for side in (strangers.other, strangers.nobody)
            ]
            assert (others.code, others.said) == (nothings.code, nothings.said), who.name


CROSSED = [method for method in METHODS if POLICY[rpc_name(method)].others is Others.REFUSED]


@pytest.mark.parametrize("method", CROSSED, ids=rpc_name)
async def test_one_half_of_ones_own_is_not_enough(strangers: Strangers, method: MethodDescriptor):
    own, other = strangers.own, strangers.other
    halves: list[tuple[Who, Side]] = [
        (PATIENT, replace(other, doctor_id=own.doctor_id)),
        (DOCTOR, replace(other, patient_id=own.patient_id)),
    ]
    for who, side in halves:
        assert (await call(strangers, method, who, side)).code is Code.PERMISSION_DENIED, who.name


LISTS = [method for method in METHODS if POLICY[rpc_name(method)].others is Others.LEFT_OUT]


@pytest.mark.parametrize("method", LISTS, ids=rpc_name)
async def test_a_list_without_a_filter_is_ones_own(strangers: Strangers, method: MethodDescriptor):
    await meet(strangers, method)
    for who in EVERYBODY:
        if who.role in {Role.PATIENT, Role.DOCTOR}:
            reply = (await call(strangers, method, who, Side(patient_id="", is_own=True))).reply
            assert reply is not None
            told = [mentions(reply, side) for side in (strangers.own, strangers.other)]
            assert told == [True, False], who.name
