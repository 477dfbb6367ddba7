"""The record of accesses checked from the first row to the last, by a computation that trusts nothing stored."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from chassis.access_log import QUERIES
from chassis.accesses import ERASURE, OK
from chassis.chain_reader import ChainConnection, fault_of_words, only_row, reading, rows_of
from chassis.chain_walk import Anchor, Fault, Finding, Link, Walk
from chassis.hash_chain import Record, parse_record, record_digest

_BESIDE_THE_DIGEST = ("number", "hash", "reason", "reason_salt")


def chain_of(service: str) -> str:
    """The name of the chain of a service's accesses."""
    return f"telemed.{service}.access"


class AccessAudit:
    """One reading of a whole record, at one instant of the database; calls go on meanwhile.

    `checked` counts the rows so far, `head` is where the record ends, and `erased` are the patients whose data the
    record says was erased; all of it is known once `faults` has come to its end.
    """

    def __init__(self, service: str, connection: ChainConnection) -> None:
        self._chain = chain_of(service)
        self._connection = connection
        self.checked = 0
        self.head = Anchor(0, b"")
        self.erased: set[str] = set()

    async def faults(self, expected: Iterable[Anchor] = ()) -> AsyncIterator[Fault]:
        """Whatever is wrong, in the order of the record."""
        self.head = await _head(self._connection)
        walk = Walk(self._chain, expected)
        without_words: list[tuple[str, Record]] = []
        async for row in rows_of(self._connection, QUERIES["access_links"]):
            access = parse_record(row["access"])
            label = f"access {row['number']}"
            for fault in walk.step(Link(row["number"], bytes(row["hash"]), access_digest(access), label)):
                yield fault
            if access["method"] is not None and str(access["method"]).endswith(ERASURE) and access["outcome"] == OK:
                self.erased |= patients_of(access)
            if fault_of_words(access, may_be_forgotten=False):
                without_words.append((label, access))
            self.checked += 1
        for label, record in without_words:
            why = fault_of_words(record, may_be_forgotten=not self.erased.isdisjoint(patients_of(record)))
            if why:
                yield Fault(Finding.CHANGED, label, why)
        for fault in walk.end(self.head):
            yield fault


@asynccontextmanager
async def auditing_accesses(service: str, url: str) -> AsyncIterator[AccessAudit]:
    """An audit of the accesses in a service's database."""
    async with reading(url) as connection:
        yield AccessAudit(service, connection)


async def read_access_head(url: str) -> Anchor:
    """Where the record in a database ends now."""
    async with reading(url) as connection:
        return await _head(connection)


def access_digest(access: Record) -> bytes:
    """The digest of a row: its columns, words by their salted digest alone."""
    return record_digest({name: value for name, value in access.items() if name not in _BESIDE_THE_DIGEST})


def patients_of(access: Record) -> set[str]:
    """Whose data a row is about."""
    ids = access["patient_ids"]
    return {str(one) for one in ids if one is not None} if isinstance(ids, list) else set()


async def _head(connection: ChainConnection) -> Anchor:
    row = await only_row(connection, QUERIES["access_head"])
    return Anchor(row["number"], bytes(row["hash"]))
