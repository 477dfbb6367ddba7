"""Recommends doctors to a patient who has no time in mind yet."""

from dataclasses import dataclass

from chassis.accesses import note_access
from chassis.context import Caller, Role
from doctor_svc.app.access import require_may_match
from doctor_svc.app.await_revision import AwaitRevision
from doctor_svc.app.ports import Insights
from doctor_svc.domain.recommending import Recommendation, recommend

# One call ranks no more doctors than this: those of the specialty, the patient's own and the best rated come first.
_MOST_RANKED = 200


@dataclass(frozen=True, slots=True)
class RecommendQuestion:
    """For whom, and which specialty is wished (empty: any). Without a patient a calling patient means themselves."""

    patient_id: str | None = None
    specialty: str = ""
    limit: int = 10
    at_least_revision: str = ""


@dataclass(frozen=True, slots=True)
class RecommendDoctors:
    """The use case. `history_counts` is the clinic's own switch."""

    insights: Insights
    await_revision: AwaitRevision
    history_counts: bool

    async def __call__(self, caller: Caller, question: RecommendQuestion) -> list[Recommendation]:
        """The best first; empty only while there is no verified doctor. Raises PermissionDenied, Unavailable."""
        patient_id = question.patient_id
        if patient_id is None and caller.role is Role.PATIENT:
            patient_id = caller.subject
        note_access(patient_id=patient_id)
        require_may_match(caller, patient_id, None)
        await self.await_revision(question.at_least_revision)
        doctors = await self.insights.recommendable(question.specialty, patient_id, _MOST_RANKED)
        return recommend(doctors, question.specialty, allow_history=self.history_counts)[: question.limit]
