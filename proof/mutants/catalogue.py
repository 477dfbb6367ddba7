"""Every mutant: what it breaks, in which run, and which check has to catch it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from proof.campaign import BLACKOUT, CALENDAR, CROWD, DEATHS, HOLDS, KINDS, LIVES, MOVES, READERS_DIE, Campaign
from proof.clinic import Sabotage

_SQL = Path(__file__).parent / "sql"


@dataclass(frozen=True)
class Mutant:
    """`sql` names a file of the folder sql, for the appointment database; `patch` a patch of the service named."""

    name: str
    what: str
    caught_by: str
    campaign: Campaign
    sql: str = ""
    patch: str = ""
    service: str = "appointment"

    @cached_property
    def sabotage(self) -> Sabotage:
        """How a clinic is broken by it."""
        statements = {"appointment": self._text("edit") + self._text(self.sql)} if self.sql else {}
        return Sabotage(statements, self.service, self.patch)

    def _text(self, name: str) -> str:
        return (_SQL / f"{name}.sql").read_text()


MUTANTS: Sequence[Mutant] = (
    Mutant(
        "doctors unguarded",
        "no constraint on doctors' time",
        "doctors",
        CROWD,
        sql="doctors_unguarded",
    ),
    Mutant(
        "kinds unguarded",
        "visits of different kinds may overlap",
        "doctors",
        KINDS,
        sql="kinds_unguarded",
    ),
    Mutant(
        "seats unchecked",
        "one more visit at once than there is room for",
        "doctors",
        CROWD,
        sql="seats_unchecked",
    ),
    Mutant(
        "patients unguarded",
        "no constraint on patients' time",
        "patients",
        CROWD,
        sql="patients_unguarded",
    ),
    Mutant(
        "daily limit off",
        "no limit of visits a day",
        "daily limit",
        CROWD,
        sql="daily_limit_off",
    ),
    Mutant(
        "moves into taken",
        "a move does not look whether its new time is free",
        "doctors",
        MOVES,
        sql="moves_into_taken",
    ),
    Mutant(
        "moves unordered",
        "moves take no locks in order",
        "faultless",
        MOVES,
        sql="moves_unordered",
    ),
    Mutant(
        "nothing locked",
        "a change does not lock its appointment",
        "faultless",
        MOVES,
        patch="appointment.lock_nothing",
    ),
    Mutant(
        "claims kept",
        "one claim in ten is not freed",
        "claims",
        CROWD,
        sql="claims_kept",
    ),
    Mutant(
        "keys forgotten",
        "no idempotency",
        "repeats",
        CROWD,
        patch="appointment.forget_keys",
    ),
    Mutant(
        "no answers",
        "one key in twenty is always told to try again",
        "settled",
        CROWD,
        patch="appointment.never_answer_some",
    ),
    Mutant(
        "replays differ",
        "a repeat is answered something else",
        "repeats",
        CROWD,
        sql="replays_differ",
    ),
    Mutant(
        "early answers",
        "a booking is acknowledged before its commit",
        "acknowledged",
        DEATHS,
        patch="appointment.acknowledge_before_commit",
    ),
    Mutant(
        "commits in the air",
        "a commit is not yet on the disk",
        "acknowledged",
        BLACKOUT,
        sql="commits_not_durable",
    ),
    Mutant(
        "changes afterwards",
        "row and event are written after their transaction",
        "acknowledged",
        DEATHS,
        patch="appointment.write_changes_afterwards",
    ),
    Mutant(
        "false refusals",
        "a booking that was made is refused",
        "refused",
        CROWD,
        patch="appointment.refuse_what_was_booked",
    ),
    Mutant(
        "old reads",
        "reads come from a cache that is never emptied",
        "reads",
        CROWD,
        patch="appointment.show_old_versions",
    ),
    Mutant(
        "the dead rise",
        "a cancelled visit may begin",
        "lifecycle",
        LIVES,
        patch="appointment.raise_the_dead",
    ),
    Mutant(
        "events skipped",
        "a cancellation in three leaves no event",
        "events",
        CROWD,
        sql="events_skipped",
    ),
    Mutant(
        "events untrue",
        "the event of a move tells another seat",
        "events",
        MOVES,
        sql="events_untrue",
    ),
    Mutant(
        "history edited",
        "events are edited after they were chained",
        "chain",
        CROWD,
        sql="history_edited",
    ),
    Mutant(
        "feed with gaps",
        "every second number of the feed is left out",
        "feed",
        CROWD,
        sql="feed_with_gaps",
    ),
    Mutant(
        "feed backwards",
        "a batch is numbered from its end",
        "feed",
        CROWD,
        sql="feed_backwards",
        patch="appointment.number_in_large_batches",
    ),
    Mutant(
        "feed by serial",
        "the feed's numbers are the events' serials",
        "consumer",
        CROWD,
        sql="feed_by_serial",
    ),
    Mutant(
        "cursor first",
        "a consumer stores its cursor before its batch",
        "copies",
        READERS_DIE,
        patch="doctor.move_the_cursor_first",
        service="doctor",
    ),
    Mutant(
        "no summer time",
        "hours forget that clocks change",
        "refused",
        CALENDAR,
        patch="calendar.forget_summer_time",
        service="doctor",
    ),
    Mutant(
        "no zones",
        "hours are read in Greenwich time",
        "hours",
        CALENDAR,
        patch="calendar.forget_zones",
        service="doctor",
    ),
    Mutant(
        "doctors' days unguarded",
        "no limit of a doctor's visits a day",
        "doctor's day",
        CROWD,
        sql="doctors_day_unguarded",
    ),
    Mutant(
        "holds confirmed late",
        "a hold that has run out is still confirmed",
        "holds",
        HOLDS,
        sql="holds_for_ever",
        patch="appointment.confirm_late",
    ),
    Mutant(
        "holds for ever",
        "a hold that has run out still keeps its time",
        "refusals",
        HOLDS,
        sql="holds_for_ever",
        patch="appointment.let_no_time_pass",
    ),
)
QUICK: Sequence[str] = ("doctors unguarded", "keys forgotten", "early answers", "claims kept")
