"""Accesses, exports and erasures between the contract that all services share and the use cases."""

from telemed.type.v1 import patient_data_pb2 as pb

from chassis.access_reader import AccessFilter, KeptAccess
from chassis.accesses import Action
from chassis.context import Role
from chassis.enum_map import EnumMap
from chassis.ids import parse_optional_uuid, parse_uuid
from chassis.list_accesses import AccessPage
from chassis.paging import page_token, parts_of
from chassis.protos import to_timestamp
from kernel.errors import InvalidArgument

_ACTIONS: EnumMap[Action] = EnumMap(pb.AccessAction.DESCRIPTOR, Action)
_ROLES: EnumMap[Role] = EnumMap(pb.AgentRole.DESCRIPTOR, Role)
_GREATEST_NUMBER = 2**63 - 1
_LONGEST_REQUEST_ID = 255


def to_access_question(request: pb.ListAccessesRequest) -> tuple[AccessFilter, int | None]:
    """Which accesses, and before which number. Raises InvalidArgument."""
    patient_id = parse_optional_uuid(request.patient_id, "patient_id")
    parts = parts_of(request.page_token, number_of)
    return AccessFilter(patient_id, request.break_glass_only), parts[0] if parts else None


def from_access_page(page: AccessPage, patient_id: str) -> pb.ListAccessesResponse:
    """One page of accesses, of one patient's data or (empty) of anybody's."""
    return pb.ListAccessesResponse(
        accesses=[from_access(one, patient_id) for one in page.accesses],
        next_page_token="" if page.next is None else page_token(str(page.next)),
    )


def from_access(access: KeptAccess, patient_id: str) -> pb.Access:
    """One access."""
    return pb.Access(
        number=access.number,
        access_time=to_timestamp(access.time),
        method=access.method,
        action=_ACTIONS.number(access.action),
        agent_role=_ROLES.number(Role(access.actor_role)),
        agent_id=access.actor_subject,
        acted_by=access.acted_by,
        purpose=access.purpose,
        break_glass_reason=access.reason,
        entity=access.entity,
        entity_ids=[one for one in access.entity_ids if one],
        outcome=access.outcome,
        outcome_reason=access.outcome_reason,
        trace_id=access.traceparent.split("-")[1] if access.traceparent else "",
        patient_id=patient_id,
    )


def to_export_question(request: pb.ExportPatientDataRequest) -> tuple[str, tuple[str, str] | None]:
    """Whose data, and after which section and position. Raises InvalidArgument."""
    parts = parts_of(request.page_token, str, str)
    return parse_uuid(request.patient_id, "patient_id"), (parts[0], parts[1]) if parts else None


def from_position(position: tuple[str, str] | None) -> str:
    """The token of where the next page of an export begins."""
    return "" if position is None else page_token(*position)


def to_erasure(request: pb.ErasePatientDataRequest) -> tuple[str, str]:
    """Whose data, and the request_id. Raises InvalidArgument."""
    if len(request.request_id) > _LONGEST_REQUEST_ID:
        raise InvalidArgument.of("request_id", f"must be at most {_LONGEST_REQUEST_ID} characters")
    return parse_uuid(request.patient_id, "patient_id"), request.request_id


def number_of(text: str) -> int:
    """A position that is a number. Raises InvalidArgument for page_token."""
    number = int(text)
    if not 0 <= number <= _GREATEST_NUMBER:
        raise InvalidArgument.of("page_token", "is out of range")
    return number
