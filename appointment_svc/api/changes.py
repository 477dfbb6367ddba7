"""The change feed between the contract and the use case."""

from collections.abc import Iterator

from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb

from appointment_svc.api.replies import appointment_message
from appointment_svc.app.ports import FeedChange, FeedPage, FeedReader
from appointment_svc.domain.changes import Change
from chassis.enum_map import EnumMap
from chassis.ids import parse_optional_uuid
from chassis.protos import to_timestamp
from kernel.errors import InvalidArgument

CHANGES = EnumMap(appointment_pb2.ChangeKind.DESCRIPTOR, Change)
_MOST_AT_ONCE = 500


def to_reader(request: pb.WatchChangesRequest) -> FeedReader:
    """Which changes are asked for."""
    return FeedReader(
        patient_id=parse_optional_uuid(request.patient_id, "patient_id"),
        doctor_id=parse_optional_uuid(request.doctor_id, "doctor_id"),
        kinds=frozenset(CHANGES.required(kind, "kinds") for kind in request.kinds),
    )


def to_most_at_once(request: pb.WatchChangesRequest) -> int:
    """How many changes a message may hold; 0 for one, in the field for one. Raises InvalidArgument."""
    if not 0 <= request.max_changes_per_message <= _MOST_AT_ONCE:
        raise InvalidArgument.of(
            "max_changes_per_message", f"must be 1 to {_MOST_AT_ONCE}, or 0 for one a message in `change`"
        )
    return request.max_changes_per_message


def from_page(page: FeedPage, most: int) -> Iterator[pb.WatchChangesResponse]:
    """The messages that tell a page: one for each change or for `most` of them, and one for an empty page."""
    head = str(page.head)
    if not page.changes:
        yield pb.WatchChangesResponse(head_revision=head, resume_revision=str(page.complete))
    step = most or 1
    for first in range(0, len(page.changes), step):
        told = [_from_change(change) for change in page.changes[first : first + step]]
        # What the filters held back behind the last change of a page need not be looked at again.
        done = page.complete if first + step >= len(page.changes) else page.changes[first + step - 1].number
        yield pb.WatchChangesResponse(
            change=None if most else told[0],
            changes=told if most else (),
            head_revision=head,
            resume_revision=str(done),
        )


def _from_change(change: FeedChange) -> appointment_pb2.Change:
    return appointment_pb2.Change(
        revision=str(change.number),
        kind=CHANGES.number(change.kind),
        change_time=to_timestamp(change.time),
        appointment=appointment_message(change.appointment),
        version=change.version,
        seat=change.appointment.seat,
        traceparent=change.traceparent,
    )
