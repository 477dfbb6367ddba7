"""The history of an appointment between the contract and the use case."""

from telemed.appointment.v1 import history_pb2

from appointment_svc.api.changes import CHANGES
from appointment_svc.api.replies import appointment_message
from appointment_svc.api.requests import OVERRIDABLE
from appointment_svc.app.list_events import EventPage
from appointment_svc.domain.changes import Change
from appointment_svc.domain.history import Event
from chassis.context import Role
from chassis.enum_map import EnumMap
from chassis.paging import page_token, parts_of
from chassis.patient_data_messages import number_of
from chassis.protos import to_timestamp

_ROLES = EnumMap(history_pb2.ActorRole.DESCRIPTOR, Role)
_GREATEST_NUMBER = 2**63 - 1


def to_event_number(token: str) -> int:
    """The number of the event after which a page begins. Raises InvalidArgument for page_token."""
    parts = parts_of(token, number_of)
    return parts[0] if parts else 0


def from_event_page(page: EventPage) -> history_pb2.ListEventsResponse:
    """One page of events."""
    return history_pb2.ListEventsResponse(
        events=map(from_event, page.events),
        next_page_token="" if page.next is None else page_token(str(page.next)),
    )


def from_event(event: Event) -> history_pb2.AppointmentEvent:
    """One event."""
    return history_pb2.AppointmentEvent(
        id=str(event.number),
        version=event.version,
        kind=CHANGES.number(Change(event.kind)),
        event_time=to_timestamp(event.time),
        actor_role=_ROLES.number(Role(event.actor_role)),
        actor_id=event.actor_id,
        delegate_id=event.delegate_id,
        reason=event.reason,
        before=appointment_message(event.before) if event.before else None,
        after=appointment_message(event.after),
        trace_id=_trace_id(event.traceparent),
        overridden_rules=map(OVERRIDABLE.number, event.overridden),
    )


def _trace_id(traceparent: str) -> str:
    """The second of the four parts of a W3C traceparent."""
    return traceparent.split("-")[1] if traceparent else ""
