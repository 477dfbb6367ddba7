"""Patches of the appointment service: each breaks one promise in the process that applies it."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import DictRow

from appointment_svc.api import requests
from appointment_svc.app.book import Book, ExactWish
from appointment_svc.app.booking import BookingCall
from appointment_svc.app.let_time_pass import LetTimePass
from appointment_svc.domain import appointment as domain
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.errors import SlotTaken
from appointment_svc.storage import feed
from appointment_svc.storage.appointments import PostgresAppointments
from appointment_svc.storage.rows import QUERIES
from chassis.db import Database, Params, Session
from chassis.sql import Query
from kernel.appointment_status import AppointmentStatus
from kernel.errors import Unavailable

_LATE_SECONDS = 0.4
_tasks: set[asyncio.Task[Any]] = set()


def _later(work: Any) -> None:
    task = asyncio.get_running_loop().create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def _opened_databases() -> list[Database]:
    """The databases that this process opens from now on."""
    found: list[Database] = []
    intact = Database.open

    async def opened(self: Database) -> None:
        found.append(self)
        await intact(self)

    Database.open = opened  # type: ignore[method-assign]
    return found


def forget_keys() -> None:
    """No request_id means anything."""
    requests.request_key = lambda request: None  # noqa: ARG005 - called by position


def acknowledge_before_commit() -> None:
    """A booking is answered when its statement has run; the commit follows a little later."""
    intact = Database.one

    async def one(self: Database, query: Query, params: Params = ()) -> DictRow | None:
        if query.name != "book":
            return await intact(self, query, params)
        transaction = self.transaction()
        session = await transaction.__aenter__()
        row = await session.one(query, params)

        async def commit() -> None:
            await asyncio.sleep(_LATE_SECONDS)
            await transaction.__aexit__(None, None, None)

        _later(commit())
        return row

    Database.one = one  # type: ignore[method-assign]


def write_changes_afterwards() -> None:
    """A change frees its claims and saves its answer; row and event are written after that, by themselves."""
    intact, databases = Session.execute, _opened_databases()

    async def execute(self: Session, query: Query, params: Params = ()) -> int:
        if query.name != "change_appointment":
            return await intact(self, query, params)

        async def write() -> None:
            await asyncio.sleep(_LATE_SECONDS)
            await databases[0].execute(query, params)

        _later(write())
        return 1

    Session.execute = execute  # type: ignore[method-assign]


def never_answer_some() -> None:
    """One key in twenty is told each time that something is missing."""
    intact = Book.__call__

    async def book(self: Book, call: BookingCall, wish: ExactWish) -> bytes:
        if call.key is not None and call.key.fingerprint[0] % 20 == 0:
            raise Unavailable("try again")
        return await intact(self, call, wish)

    Book.__call__ = book  # type: ignore[method-assign]


def refuse_what_was_booked() -> None:
    """Now and then a booking that was made is answered as if its time were taken."""
    intact = Book.__call__
    count = 0

    async def book(self: Book, call: BookingCall, wish: ExactWish) -> bytes:
        nonlocal count
        answer = await intact(self, call, wish)
        count += 1
        if count % 10 == 0:
            raise SlotTaken.of()
        return answer

    Book.__call__ = book  # type: ignore[method-assign]


def show_old_versions() -> None:
    """Appointments are read from a cache that nobody empties."""
    intact = PostgresAppointments.get
    cache: dict[str, Appointment | None] = {}

    async def get(self: PostgresAppointments, appointment_id: str) -> Appointment | None:
        if appointment_id not in cache:
            cache[appointment_id] = await intact(self, appointment_id)
        return cache[appointment_id]

    PostgresAppointments.get = get  # type: ignore[method-assign]


def lock_nothing() -> None:
    """An appointment is read without its lock before it is changed."""
    query = QUERIES["lock_appointment"]
    if "FOR UPDATE" not in query.text:
        raise ValueError("lock_appointment takes no lock; write this mutant anew")
    unlocked = replace(query, text=query.text.replace("FOR UPDATE", ""))
    QUERIES._queries["lock_appointment"] = unlocked  # noqa: SLF001 - a break-in, by intent


def raise_the_dead() -> None:
    """What was called off may begin."""
    table = dict(domain.TRANSITIONS)
    table[AppointmentStatus.CANCELLED] = frozenset({AppointmentStatus.IN_PROGRESS, AppointmentStatus.CANCELLED})
    domain.TRANSITIONS = table
    domain.START_AHEAD = timedelta(days=30)


def confirm_late() -> None:
    """A hold is confirmed whenever its row still says HELD."""
    intact = Appointment.confirmed

    def confirmed(self: Appointment, asked: datetime) -> Appointment:
        return intact(replace(self, hold_expire_time=None), asked)

    Appointment.confirmed = confirmed  # type: ignore[method-assign]
    let_no_time_pass()


def let_no_time_pass() -> None:
    """No clock ticks: what is due waits for whoever comes upon it."""

    async def settle(*_: object) -> int:
        return 0

    LetTimePass.__call__ = settle  # type: ignore[method-assign,assignment]


def number_in_large_batches() -> None:
    """Events wait for company before they are numbered: harmless, but a wrong order then has something to order."""
    feed._GATHER_SECONDS = 1.0  # noqa: SLF001 - the same
    feed._SEQUENCE_SECONDS = 1.0  # noqa: SLF001 - the same
