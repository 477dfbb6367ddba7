"""The three RPCs about all that is kept of one patient, which every service has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from telemed.type.v1 import patient_data_pb2 as pb

from chassis.access_log import PostgresAccessLog
from chassis.context import current_caller
from chassis.db import Database
from chassis.erase_patient_data import ErasePatientData, Forget
from chassis.export_patient_data import ExportPatientData, Section, accesses_in
from chassis.list_accesses import ListAccesses
from chassis.patient_data_messages import (
    from_access_page,
    from_position,
    to_access_question,
    to_erasure,
    to_export_question,
)
from chassis.protos import to_timestamp


@dataclass(frozen=True, slots=True)
class PatientData:
    """The use cases, and how a service renders an export.

    `page` is the type of the answer; `record` makes a message of section, record and patient.
    """

    list_accesses: ListAccesses
    export: ExportPatientData
    erase: ErasePatientData
    page: type[Any]
    record: Callable[[str, Any, str], Any]


class PatientDataRpcs:
    """To be inherited by a servicer, before its generated base."""

    _patient_data: PatientData

    async def ListAccesses(self, request: pb.ListAccessesRequest, _: Any) -> pb.ListAccessesResponse:
        """Tells who touched a patient's data."""
        wanted, before = to_access_question(request)
        page = await self._patient_data.list_accesses(current_caller(), wanted, before, request.page_size)
        return from_access_page(page, wanted.patient_id or "")

    async def ExportPatientData(self, request: pb.ExportPatientDataRequest, _: Any) -> Any:
        """Tells everything that is kept of a patient."""
        data, (patient_id, after) = self._patient_data, to_export_question(request)
        page = await data.export(current_caller(), patient_id, after, request.page_size)
        records = [data.record(section, record, patient_id) for section, record in page.records]
        return data.page(records=records, next_page_token=from_position(page.next))

    async def ErasePatientData(self, request: pb.ErasePatientDataRequest, _: Any) -> pb.ErasePatientDataResponse:
        """Erases what was written about a patient."""
        patient_id, request_id = to_erasure(request)
        erased = await self._patient_data.erase(patient_id, request_id)
        return pb.ErasePatientDataResponse(patient_id=patient_id, erase_time=to_timestamp(erased))


def patient_data_in(
    database: Database,
    log: PostgresAccessLog,
    *,
    sections: Mapping[str, Section],
    forget: Forget,
    page: type[Any],
    record: Callable[[str, Any, str], Any],
) -> PatientData:
    """The use cases over a service's database; the accesses come after the service's own sections."""
    return PatientData(
        list_accesses=ListAccesses(database),
        export=ExportPatientData({**sections, "accesses": accesses_in(database)}),
        erase=ErasePatientData(database, log, forget),
        page=page,
        record=record,
    )
