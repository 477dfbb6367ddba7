"""The hours of one kind of visit: rules less the time that overrides take away, and the hours that they add."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from operator import itemgetter

from doctor_svc.domain.availability import AvailabilityRule, hours_of, lent, rules_on
from doctor_svc.domain.overrides import Override, without
from kernel.appointment_types import AppointmentType
from kernel.civil_time import end_of_wall, instant_of

# A block of hours `[start, end)` in UTC, with the rule by which it is cut into slots.
Block = tuple[datetime, datetime, AvailabilityRule]


@dataclass(frozen=True, slots=True)
class Hours:
    """By what a doctor serves one kind, whatever the day.

    `closures` take time away; `extras` add hours, each with the rule that it stands for on its days.
    """

    rules: tuple[AvailabilityRule, ...]
    closures: tuple[Override, ...] = ()
    extras: tuple[tuple[Override, AvailabilityRule], ...] = ()


def hours_for(
    rules: Sequence[AvailabilityRule], overrides: Sequence[Override], kind: AppointmentType, clinic_buffer: timedelta
) -> Hours:
    """The hours of a kind; a kind without a single rule borrows the general ones, extra hours included."""
    regular = hours_of(rules, kind, clinic_buffer)
    if not overrides:
        return Hours(regular)
    borrows = not any(rule.kind is kind for rule in rules)
    extras = []
    for override in overrides:
        if override.extra is None:
            continue
        if override.extra.kind is kind:
            extras.append((override, override.hours()))
        elif borrows and override.extra.kind is AppointmentType.GENERAL_CONSULTATION:
            extras.append((override, lent(override.hours(), kind, clinic_buffer)))
    return Hours(regular, tuple(override for override in overrides if override.extra is None), tuple(extras))


def blocks_on(hours: Hours, day: date, zone: tzinfo) -> Iterator[Block]:
    """The blocks of a day as instants in UTC, in order and apart from each other."""
    closing = end_of_wall(day, None, zone)
    usual = [block for rule in rules_on(hours.rules, day) for block in _blocks_of(rule, day, zone, closing)]
    extras = [
        (override, block)
        for override, rule in hours.extras
        if override.on(day)
        for block in _blocks_of(rule, day, zone, closing)
    ]
    closed = [closure.stretch(day, zone) for closure in hours.closures if closure.on(day)]
    yielding = usual + [block for override, block in extras if not _wins(override)]
    winning = [block for override, block in extras if _wins(override)]
    if closed:
        yielding = [(begin, stop, rule) for start, end, rule in yielding for begin, stop in without(start, end, closed)]
    return _apart(yielding + winning)


def _wins(override: Override) -> bool:
    return override.extra is not None and override.extra.overrides_blocks


def _blocks_of(rule: AvailabilityRule, day: date, zone: tzinfo, closing: datetime) -> Iterator[Block]:
    for block in rule.blocks:
        # An end that clocks skip moves forward, but no block leaves its day.
        yield instant_of(day, block.start, zone), min(end_of_wall(day, block.end, zone), closing), rule


def _apart(blocks: Iterable[Block]) -> Iterator[Block]:
    """Blocks in order, each starting where the one before it ends at the earliest.

    They overlap where clocks skip an hour, so that an end inside it moves forward into the next block, and where extra
    hours lie across the usual ones.
    """
    last_end = None
    for start, end, rule in sorted(blocks, key=itemgetter(0, 1)):
        begin = start if last_end is None else max(start, last_end)
        if begin < end:
            yield begin, end, rule
            last_end = end
