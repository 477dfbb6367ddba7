"""A walk along a hash chain that says of each thing wrong with it what it is and where."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chassis.hash_chain import first_anchor, next_link

_ANCHOR = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A point of a chain to note elsewhere: how many links it had, and the hash of the last. Written `number:hex`."""

    number: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> "Anchor":
        """The anchor that was written down. Raises ValueError."""
        match = _ANCHOR.fullmatch(text)
        if match is None:
            raise ValueError(f"{text} is no anchor such as 1204:9f86d081… (a number, a colon, 64 hexadecimal digits)")
        return cls(int(match[1]), bytes.fromhex(match[2]))


@dataclass(frozen=True, slots=True)
class Link:
    """One link as it is stored, and the digest of its record as it is now; None when the record is gone."""

    number: int
    hash: bytes
    content: bytes | None
    label: str


class Finding(StrEnum):
    """What can be wrong."""

    CHANGED = "CHANGED"  # the record, its place or its hash is not what was linked
    MISSING = "MISSING"  # a link or a record is gone
    CUT = "CUT"  # the chain ends earlier than it once did
    REWRITTEN = "REWRITTEN"  # the chain holds in itself, but is not the one whose anchor was noted
    UNLINKED = "UNLINKED"  # a record stands outside the chain


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong, and where."""

    finding: Finding
    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.finding:<9}  {self.where}: {self.why}"


class Walk:
    """Takes the links of a chain in order. `expected` are anchors that were noted while the chain was known to be good.

    One fault does not hide the next: after a broken link the walk goes on from the hash that is stored, and from the
    one that should be.
    """

    def __init__(self, chain: str, expected: Iterable[Anchor] = ()) -> None:
        self.number = 0
        self.hash = first_anchor(chain)
        self._previous: Sequence[bytes] = (self.hash,)
        self._expected = {anchor.number: anchor for anchor in sorted(expected, key=lambda anchor: anchor.number)}

    def step(self, link: Link) -> Iterator[Fault]:
        """The faults of the next link."""
        if link.number != self.number + 1:
            yield self._gap(link.number)
            self._previous = ()
        if link.content is None:
            yield Fault(Finding.MISSING, link.label, "its record is gone")
            self._previous = (link.hash,)
        else:
            due = [next_link(previous, link.number, link.content) for previous in self._previous]
            if due and link.hash not in due:
                yield Fault(Finding.CHANGED, link.label, "the record, its place or its hash is not what was linked")
            self._previous = (link.hash, *due[:1])
        self.number, self.hash = link.number, link.hash
        anchor = self._expected.pop(link.number, None)
        if anchor is not None and anchor.hash != link.hash:
            yield Fault(Finding.REWRITTEN, link.label, f"its hash was noted as {anchor.hash.hex()}")

    def end(self, head: Anchor) -> Iterator[Fault]:
        """The faults of the end: `head` is where the chain's keeper says that it ends."""
        if head.number > self.number:
            yield self._gap(head.number + 1)
        elif head != Anchor(self.number, self.hash):
            yield Fault(Finding.CHANGED, "head", f"it says {head}, the last link is {Anchor(self.number, self.hash)}")
        for anchor in self._expected.values():
            if anchor.number > self.number:
                yield Fault(Finding.CUT, f"{self.number + 1} to {anchor.number}", f"the anchor {anchor} was noted once")

    def _gap(self, found: int) -> Fault:
        first, last = self.number + 1, found - 1
        if found <= self.number:
            return Fault(Finding.CHANGED, str(found), f"comes after {self.number}")
        return Fault(Finding.MISSING, str(first) if first == last else f"{first} to {last}", "no such link")
