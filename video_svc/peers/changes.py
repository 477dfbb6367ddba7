"""The appointment service's change feed, as visits."""

from collections.abc import AsyncIterator

from telemed.appointment.v1 import appointment_pb2, appointment_service_pb2

from chassis.client import Client
from chassis.enum_map import EnumMap
from chassis.progress import Progress
from chassis.protos import to_instant
from kernel.appointment_status import AppointmentStatus
from video_svc.app.copy_visits import VisitChange
from video_svc.domain.visit import Visit

_WATCH = appointment_service_pb2.DESCRIPTOR.services_by_name["AppointmentService"].methods_by_name["WatchChanges"]
# More a message save nothing more, and come later.
_CHANGES_AT_ONCE = 100
_STATUSES = EnumMap(appointment_pb2.AppointmentStatus.DESCRIPTOR, AppointmentStatus)


class AppointmentChanges:
    """Reads the feed; every message, a sign of life too, tells `progress` how long the feed is."""

    def __init__(self, client: Client, progress: Progress) -> None:
        self._client = client
        self._progress = progress

    async def after(self, revision: str) -> AsyncIterator[VisitChange]:
        """The changes after a revision, oldest first, until the stream breaks; an empty one means from the beginning.

        Raises InvalidArgument at a status that this code does not know: it stops, and says so in the log and the lag,
        rather than guess who may join.
        """
        request = appointment_service_pb2.WatchChangesRequest(
            after_revision=revision, max_changes_per_message=_CHANGES_AT_ONCE
        )
        async for message in self._client.stream(_WATCH, request, appointment_service_pb2.WatchChangesResponse):
            self._progress.heard(int(message.head_revision or 0))
            for change in message.changes:
                yield _change(change)
            # A server that knows of no batches sends one at a time.
            if message.HasField("change"):
                yield _change(message.change)


def _change(change: appointment_pb2.Change) -> VisitChange:
    appointment = change.appointment
    visit = Visit(
        appointment_id=appointment.id,
        patient_id=appointment.patient_id,
        doctor_id=appointment.doctor_id,
        status=_STATUSES.required(appointment.status, "status"),
        start=to_instant(appointment, "start_time"),
        end=to_instant(appointment, "end_time"),
        version=change.version,
    )
    return VisitChange(revision=int(change.revision), visit=visit, traceparent=change.traceparent)
