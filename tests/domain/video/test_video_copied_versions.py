"""The copy of an appointment ends in its newest version, in whatever order and company the versions were heard."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.appointment_status import AppointmentStatus
from tests.domain.video.video_builders import APPOINTMENT, START, visit
from video_svc.domain.visit import Visit, newer, newest_of

OTHER = "0190a1b2-c3d4-7e5f-8a9b-ffffffffffff"


@st.composite
def histories(draw: st.DrawFn) -> list[Visit]:
    """What two appointments went through: one visit a version, any status, any time."""
    return [
        visit(
            draw(st.sampled_from(AppointmentStatus)),
            appointment_id=appointment_id,
            start=START + timedelta(minutes=draw(st.integers(-600, 600))),
            version=version,
        )
        for appointment_id in (APPOINTMENT, OTHER)
        for version in range(1, draw(st.integers(2, 7)))
    ]


@given(histories(), st.data())
def test_any_order_and_any_repetition_end_in_the_newest_version(history: list[Visit], data: st.DataObject) -> None:
    newest = {item.appointment_id: item for item in history}
    repeated = history + data.draw(st.lists(st.sampled_from(history)))
    told = data.draw(st.permutations(repeated))
    split = data.draw(st.integers(0, len(told)))

    kept: dict[str, Visit] = {}
    for batch in (told[:split], told[split:]):
        for heard in newest_of(batch):
            kept[heard.appointment_id] = newer(kept.get(heard.appointment_id), heard)

    assert kept == newest


def test_a_batch_holds_each_appointment_once_in_the_order_of_their_ids() -> None:
    batch = [visit(appointment_id=OTHER), visit(version=2), visit(version=1)]
    assert newest_of(batch) == [visit(version=2), visit(appointment_id=OTHER)]


def test_a_visit_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        visit(start=START.replace(tzinfo=None))
