"""The appointment service's feed of changes, as visits."""

from collections.abc import AsyncIterator
from datetime import timedelta

from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as api
from telemed.type.v1 import scheduling_pb2

from chassis.client import Client
from chassis.progress import Progress
from chassis.protos import to_instant, to_optional_instant
from doctor_svc.domain.visits import Visit, VisitChange
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType

_WATCH = api.DESCRIPTOR.services_by_name["AppointmentService"].methods_by_name["WatchChanges"]
# More a message save nothing more, and come later.
_CHANGES_AT_ONCE = 100
_STATUSES = {
    appointment_pb2.AppointmentStatus.Value(f"APPOINTMENT_STATUS_{status.name}"): status for status in AppointmentStatus
}
_KINDS = {scheduling_pb2.AppointmentType.Value(f"APPOINTMENT_TYPE_{kind.name}"): kind for kind in AppointmentType}


class ChangeFeed:
    """Follows the feed as the service itself and tells `progress` how far it reaches."""

    def __init__(self, client: Client, progress: Progress) -> None:
        self._client = client
        self._progress = progress

    async def __call__(self, after: str) -> AsyncIterator[VisitChange]:
        """The changes after a revision, for ever; raises when the feed breaks."""
        request = api.WatchChangesRequest(after_revision=after, max_changes_per_message=_CHANGES_AT_ONCE)
        async for reply in self._client.stream(_WATCH, request, api.WatchChangesResponse):
            self._progress.heard(int(reply.head_revision or 0))
            for change in reply.changes:
                yield visit_change(change)
            # A server that knows of no batches sends one at a time.
            if reply.HasField("change"):
                yield visit_change(reply.change)


def visit_change(change: appointment_pb2.Change) -> VisitChange:
    """A change as we keep it. Raises KeyError for a status or kind that this code does not know.

    Such a change stops the copy, loudly: to pass it over would offer times that may be taken.
    """
    told = change.appointment
    end = to_instant(told, "end_time")
    visit = Visit(
        appointment_id=told.id,
        version=change.version,
        doctor_id=told.doctor_id,
        patient_id=told.patient_id,
        kind=_KINDS[told.appointment_type],
        status=_STATUSES[told.status],
        start=to_instant(told, "start_time"),
        end=end,
        occupied_until=end + timedelta(minutes=told.buffer_minutes),
        seat=change.seat,
        hold_expire_time=to_optional_instant(told, "hold_expire_time"),
        rating=told.rating or None,
    )
    return VisitChange(number=int(change.revision), visit=visit, traceparent=change.traceparent)
