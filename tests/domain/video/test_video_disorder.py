"""Reports that are lost, doubled and reordered: the session always stands where the newest of what arrived put it."""

import random
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from kernel.appointment_status import AppointmentStatus
from tests.domain.video.video_builders import START, participant, session
from video_svc.domain.errors import StaleAttempt
from video_svc.domain.participant_states import ParticipantState
from video_svc.domain.presence import left, reported
from video_svc.domain.session import Session
from video_svc.domain.session_states import SessionState
from video_svc.domain.visit import ParticipantType

ORDERS = 10_000
SIDES = tuple(ParticipantType)


@dataclass(frozen=True)
class Said:
    """What one side's page says in one attempt: report `number`, connected or not; number 0 is its farewell."""

    side: ParticipantType
    attempt: int
    number: int
    is_connected: bool = False


@dataclass
class Oracle:
    """Knows what has arrived and asks only for the newest of it; no table, no state, no order."""

    attempts: dict[ParticipantType, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    arrived: set[Said] = field(default_factory=set)
    was_pair: bool = False

    def state_of(self, side: ParticipantType) -> ParticipantState:
        attempt = self.attempts[side]
        if not attempt:
            return ParticipantState.ADMITTED
        mine = {one for one in self.arrived if (one.side, one.attempt) == (side, attempt)}
        if any(one.number == 0 for one in mine):
            return ParticipantState.LEFT
        if not mine:
            return ParticipantState.CONNECTING
        newest = max(mine, key=lambda one: one.number)
        return ParticipantState.CONNECTED if newest.is_connected else ParticipantState.RECONNECTING

    def session_state(self) -> SessionState:
        is_pair = all(self.state_of(side) is ParticipantState.CONNECTED for side in SIDES)
        self.was_pair = self.was_pair or is_pair
        if not self.was_pair:
            return SessionState.OPEN
        return SessionState.LIVE if is_pair else SessionState.INTERRUPTED


def story(chance: random.Random) -> list[Said | ParticipantType]:
    """Some attempts of both sides as their pages lived them; a bare side stands for its StartSession."""
    told: list[Said | ParticipantType] = []
    for side in SIDES:
        for attempt in range(1, chance.randint(1, 3) + 1):
            told.append(side)
            last = chance.randint(0, 4)
            told += [Said(side, attempt, number, chance.random() < 0.6) for number in range(1, last + 1)]
            if chance.random() < 0.3:
                told.append(Said(side, attempt, 0))
    return told


def disordered(chance: random.Random, told: list[Said | ParticipantType]) -> list[Said | ParticipantType]:
    """The story as a bad network delivers it. Only the service numbers attempts, so their starts keep their order."""
    arriving = [one for one in told if isinstance(one, ParticipantType) or chance.random() > 0.2]
    arriving += [one for one in arriving if isinstance(one, Said) and chance.random() < 0.3]
    chance.shuffle(arriving)
    return arriving


def begin(found: Session, side: ParticipantType) -> Session:
    one = found.one(side)
    assert one is not None
    return found.with_participant(one.began("", START), START)


def hear(found: Session, said: Said) -> Session:
    if said.number == 0:
        return left(found, said.side, said.attempt, START)
    return reported(found, said.side, said.attempt, said.number, is_connected=said.is_connected, now=START)


@pytest.mark.parametrize("seed", range(10))
def test_ten_thousand_orders_end_where_the_oracle_says(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  a seed makes a failure repeatable
    for _ in range(ORDERS // 10):
        found = session(AppointmentStatus.CONFIRMED)
        for side in SIDES:
            found = found.with_participant(participant(side, ParticipantState.ADMITTED), START)
        oracle = Oracle()
        for said in disordered(chance, story(chance)):
            if isinstance(said, ParticipantType):
                oracle.attempts[said] += 1
                found = begin(found, said)
            elif said.attempt > oracle.attempts[said.side]:
                continue  # a page cannot speak before its attempt was answered
            elif said.attempt < oracle.attempts[said.side]:
                with pytest.raises(StaleAttempt):
                    hear(found, said)
            else:
                oracle.arrived.add(said)
                found = hear(found, said)
            expected = oracle.session_state()
            assert {side: found.one(side).state for side in SIDES} == {side: oracle.state_of(side) for side in SIDES}
            assert found.life.state is expected
            connected = sum(one.state is ParticipantState.CONNECTED for one in found.participants)
            assert 0 <= connected <= len(SIDES)


def test_time_stands_still_for_a_report_that_was_overtaken() -> None:
    found = begin(
        session().with_participant(participant(ParticipantType.DOCTOR, ParticipantState.ADMITTED), START),
        ParticipantType.DOCTOR,
    )
    newer = reported(found, ParticipantType.DOCTOR, 1, 2, is_connected=True, now=START)
    older = reported(newer, ParticipantType.DOCTOR, 1, 1, is_connected=False, now=START + timedelta(seconds=1))
    assert older.one(ParticipantType.DOCTOR).state is ParticipantState.CONNECTED
    assert older.one(ParticipantType.DOCTOR).seen == START + timedelta(seconds=1)
