"""Tells the free slots of a doctor as imagined: what an administrator sees before saving rules or overrides."""

from dataclasses import dataclass

from doctor_svc.domain.diary import require_days
from doctor_svc.domain.preview import Scene, slots_in
from doctor_svc.domain.window import stretch_of_days
from kernel.slots import Slot


@dataclass(frozen=True, slots=True)
class PreviewAvailability:
    """The use case; reads and stores nothing."""

    def __call__(self, scene: Scene) -> list[Slot]:
        """The slots by start. Raises InvalidArgument."""
        require_days(scene.first, scene.last)
        stretch_of_days(scene.first, scene.last, "from")
        return slots_in(scene)
