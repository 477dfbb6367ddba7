"""The appointment service, told in this service's own name what happened in a session."""

from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb

from chassis.client import Client
from video_svc.app.tell_appointments import Due
from video_svc.domain.consequences import Notice

_METHODS = pb.DESCRIPTOR.services_by_name["AppointmentService"].methods_by_name
_WHO = {
    Notice.PATIENT_CAME: appointment_pb2.PARTICIPANT_PATIENT,
    Notice.DOCTOR_CAME: appointment_pb2.PARTICIPANT_DOCTOR,
}


class RemoteAppointments:
    """Keeps the promises of video_svc.app.tell_appointments.Appointments."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def tell(self, due: Due) -> None:
        """Calls the RPC of the notice, with the notice's id as request_id."""
        name, request_id = due.appointment_id, due.notice_id
        if due.notice is Notice.BEGAN:
            start = pb.StartAppointmentRequest(id=name, request_id=request_id)
            await self._client.unary(_METHODS["StartAppointment"], start, pb.StartAppointmentResponse)
        elif due.notice is Notice.ENDED:
            complete = pb.CompleteAppointmentRequest(id=name, request_id=request_id)
            await self._client.unary(_METHODS["CompleteAppointment"], complete, pb.CompleteAppointmentResponse)
        else:
            arrival = pb.RecordArrivalRequest(id=name, participant=_WHO[due.notice], request_id=request_id)
            await self._client.unary(_METHODS["RecordArrival"], arrival, pb.RecordArrivalResponse)
