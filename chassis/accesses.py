"""Whose data a call touched: what use cases note of it, and the row that it leaves.

The vocabulary is that of FHIR's AuditEvent. docs/decisions/0016-access-records.md says which calls leave rows, and why.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Protocol

from chassis.context import Caller, PurposeOfUse
from chassis.telemetry import current_traceparent

OK = "OK"
# How the names of the methods end that erase what a service keeps of a patient.
ERASURE = "/ErasePatientData"
# Whoever gets these has no answer, so nobody waits for the row.
NOBODY_WAITS = frozenset({"CANCELLED", "DEADLINE_EXCEEDED", "UNAVAILABLE"})
# Nothing was asked of anybody's data; unless something of it had been looked at already.
_NOT_YET_A_QUESTION = frozenset(
    {"INVALID_ARGUMENT", "UNAUTHENTICATED", "RESOURCE_EXHAUSTED", "CANCELLED", "DEADLINE_EXCEEDED"}
)


class Action(StrEnum):
    """What is done with the data (FHIR audit-event-action)."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


class Leaves(Enum):
    """When a call leaves a row. One that is refused does in any case, and so does one that breaks the glass."""

    A_ROW = "each time"
    A_ROW_OR_AN_EVENT = "each time, unless it wrote an event, which says the same"
    A_ROW_OF_PATIENTS = "where it concerns a patient"
    NO_ROW = "only refused: the row of whoever came in speaks for what they do inside"


@dataclass(frozen=True, slots=True)
class Touch:
    """What an RPC does with patient data. The fields are those of the request that name the entity and the patient."""

    action: Action
    entity: str
    leaves: Leaves = Leaves.A_ROW
    id_field: str = ""
    patient_field: str = ""


def of_patient_data(service: str) -> dict[str, Touch]:
    """The rows of the RPCs about all that a service keeps of a patient. An erasure keeps its own row."""
    reads = Touch(Action.READ, "Patient", patient_field="patient_id")
    erases = Touch(Action.DELETE, "Patient", patient_field="patient_id")
    return {
        f"{service}/ListAccesses": reads,
        f"{service}/ExportPatientData": reads,
        f"{service}{ERASURE}": erases,
    }


@dataclass(frozen=True, slots=True)
class Access:
    """One row: who did what to whose data, and what came of it.

    `entity_ids` and `patient_ids` go together place by place; None is what was not known. `outcome` is the name of a
    gRPC code, `outcome_reason` one of docs/errors.md, empty with OK.
    """

    method: str
    action: Action
    entity: str
    entity_ids: tuple[str | None, ...]
    patient_ids: tuple[str | None, ...]
    query: str
    caller: Caller
    outcome: str
    outcome_reason: str
    traceparent: str


class AccessLog(Protocol):
    """Where rows are kept."""

    async def write(self, access: Access) -> None:
        """Returns once the row is durable. Raises Unavailable."""
        ...

    def note(self, access: Access) -> None:
        """Keeps the row soon; nobody waits for it."""
        ...


@dataclass(slots=True)
class Noted:
    """What is known of the running call."""

    method: str
    touch: Touch
    log: AccessLog
    caller: Caller | None = None
    query: str = ""
    is_told: bool = False
    is_kept: bool = False
    touched: dict[tuple[str | None, str | None], None] = field(default_factory=dict)

    def access(self, outcome: str, reason: str = "") -> Access | None:
        """The row, or None where the call leaves none."""
        if self.caller is None or not self._leaves_a_row(outcome):
            return None
        named = {entity for entity, patient in self.touched if patient is not None}
        touched = [pair for pair in self.touched if pair[1] is not None or pair[0] not in named]
        return Access(
            method=self.method,
            action=self.touch.action,
            entity=self.touch.entity,
            entity_ids=tuple(entity for entity, _ in touched),
            patient_ids=tuple(patient for _, patient in touched),
            query=self.query,
            caller=self.caller,
            outcome=outcome,
            outcome_reason=reason,
            traceparent=current_traceparent(),
        )

    def _leaves_a_row(self, outcome: str) -> bool:
        if self.caller is not None and self.caller.purpose is PurposeOfUse.BTG:
            return True
        concerns_patient = any(patient is not None for _, patient in self.touched)
        if outcome != OK:
            return outcome not in _NOT_YET_A_QUESTION or concerns_patient
        match self.touch.leaves:
            case Leaves.A_ROW:
                return True
            case Leaves.A_ROW_OR_AN_EVENT:
                return not self.is_told
            case Leaves.A_ROW_OF_PATIENTS:
                return concerns_patient
        return False


noted_of_call: ContextVar[Noted | None] = ContextVar("noted", default=None)


def note_access(*, entity_id: str | None = None, patient_id: str | None = None) -> None:
    """Says that the running call touches something, of somebody; before it is decided whether it may.

    Does nothing where no call is running that leaves rows.
    """
    noted = noted_of_call.get()
    if noted is not None and (entity_id or patient_id):
        noted.touched[entity_id, patient_id] = None


def note_query(**asked: object) -> None:
    """Says what was asked for where that is more than ids; None and empty values are left out. No words of people."""
    noted = noted_of_call.get()
    if noted is not None:
        noted.query = "&".join(f"{name}={_plain(value)}" for name, value in asked.items() if value not in (None, ""))


def note_event() -> None:
    """Says that the running call wrote an event, in the transaction of its change: it tells all that a row would."""
    noted = noted_of_call.get()
    if noted is not None:
        noted.is_told = True


def note_kept() -> None:
    """Says that the running call has written its row itself, in the transaction of its change."""
    noted = noted_of_call.get()
    if noted is not None:
        noted.is_kept = True


def note_caller(caller: Caller) -> None:
    """Says who calls, as soon as that is known."""
    noted = noted_of_call.get()
    if noted is not None:
        noted.caller = caller


def row_of_this_call() -> Access:
    """The row of the running call as if it had succeeded, for whoever keeps it in a transaction of their own."""
    noted = noted_of_call.get()
    access = noted.access(OK) if noted is not None else None
    if access is None:
        raise LookupError("no call is running that leaves a row")
    return access


def is_out_of_the_ordinary(caller: Caller) -> bool:
    """Whether a caller acts for somebody else or breaks the glass, so that an event has to say so."""
    return bool(caller.delegate) or caller.purpose is PurposeOfUse.BTG


async def before_telling() -> None:
    """Keeps the row of the running stream before its first message leaves. Raises Unavailable."""
    noted = noted_of_call.get()
    if noted is None or noted.is_kept:
        return
    access = noted.access(OK)
    if access is not None:
        await noted.log.write(access)
    noted.is_kept = True


def _plain(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
    return value
