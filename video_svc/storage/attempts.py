"""Attempts at a forwarding provider in PostgreSQL: turns that hold across replicas, and what was answered."""

from collections.abc import Callable, Sequence
from datetime import datetime

import orjson

from chassis.db import Database
from chassis.db import Session as Connection
from kernel.errors import IdempotencyKeyReused
from video_svc.app.negotiation_ports import Done, Wish
from video_svc.domain.attempt import Attempt, AttemptKey, Purpose, Turn
from video_svc.domain.media import Negotiated, Sdp, SdpKind, TrackFailure, TrackRef, TrackResult
from video_svc.domain.visit import ParticipantType
from video_svc.storage.rows import Row
from video_svc.storage.sql import ATTEMPTS

_BEGIN = ATTEMPTS["begin_attempt"]
_LOCK = ATTEMPTS["lock_attempt"]
_SAVE = ATTEMPTS["save_attempt"]
_KEEP_TRACKS = ATTEMPTS["keep_tracks"]
_TELL = ATTEMPTS["tell_watchers"]
_KEEP_ANSWER = ATTEMPTS["keep_media_answer"]
_GET_ANSWER = ATTEMPTS["get_media_answer"]
_SENT = ATTEMPTS["tracks_sent"]
_TO_CLEAN = ATTEMPTS["attempts_to_clean"]
_NOTE_CLEAN = ATTEMPTS["note_clean"]
_DROP_OLD = ATTEMPTS["drop_old_answers"]
Rule = Callable[[Attempt], Attempt]


class PostgresAttempts:
    """Keeps the promises of video_svc.app.negotiation_ports.Attempts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def change(self, key: AttemptKey, rule: Rule) -> Attempt:
        """Keeps what `rule` makes of an attempt, under its lock."""
        async with self._database.transaction() as transaction:
            return await _change(transaction, key, rule)

    async def finish(self, key: AttemptKey, rule: Rule, done: Done, now: datetime) -> None:
        """The same, with what was done in one transaction."""
        async with self._database.transaction() as transaction:
            await _change(transaction, key, rule)
            if done.sent:
                tracks = {"names": [one.name for one in done.sent], "mids": [one.mid for one in done.sent]}
                await transaction.execute(_KEEP_TRACKS, _key(key) | tracks)
                await transaction.one(_TELL, {"session_id": key.session_id})
            if done.wish.request_id:
                answer = {
                    "request_id": done.wish.request_id,
                    "fingerprint": done.wish.fingerprint,
                    "answer": _dump(done.negotiated),
                    "now": now,
                }
                await transaction.execute(_KEEP_ANSWER, _key(key) | answer)

    async def answer_to(self, key: AttemptKey, wish: Wish) -> Negotiated | None:
        """What came of the same wish before. Raises IdempotencyKeyReused."""
        if not wish.request_id:
            return None
        row = await self._database.one(_GET_ANSWER, _key(key) | {"request_id": wish.request_id})
        if row is None:
            return None
        if bytes(row["fingerprint"]) != wish.fingerprint:
            raise IdempotencyKeyReused("this request_id was used for another request")
        await self._database.secure()
        return _load(row["answer"])

    async def sent_by(self, session_id: str, side: ParticipantType) -> Sequence[TrackRef]:
        """The tracks that a participant sends in the current attempt."""
        rows = await self._database.all(_SENT, {"session_id": session_id, "side": side.value})
        return [TrackRef(row["provider_session_id"], row["name"]) for row in rows]

    async def to_clean(self, now: datetime) -> Sequence[Attempt]:
        """Some attempts that are over, this caller's alone for half a minute."""
        return [
            Attempt(
                AttemptKey(row["session_id"], ParticipantType(row["participant_type"]), row["attempt"]),
                row["provider_session_id"],
                is_lost=row["is_lost"],
            )
            for row in await self._database.all(_TO_CLEAN, {"now": now})
        ]

    async def cleaned(self, key: AttemptKey) -> None:
        """Notes that nothing is left at the provider."""
        await self._database.execute(_NOTE_CLEAN, _key(key))

    async def forget(self, before: datetime) -> None:
        """Forgets answers that were given before."""
        await self._database.execute(_DROP_OLD, {"before": before})


async def _change(transaction: Connection, key: AttemptKey, rule: Rule) -> Attempt:
    await transaction.execute(_BEGIN, _key(key))
    row = await transaction.one(_LOCK, _key(key))
    if row is None:
        raise LookupError("an attempt that was just begun is there")
    before = _attempt(key, row)
    after = rule(before)
    if after != before:
        turn = after.turn
        columns = {
            "provider_session_id": after.provider_session_id,
            "turn_purpose": turn and turn.purpose.value,
            "turn_owner": turn and turn.owner,
            "turn_until": turn and turn.until,
            "is_lost": after.is_lost,
        }
        await transaction.execute(_SAVE, _key(key) | columns)
    return after


def _key(key: AttemptKey) -> dict[str, object]:
    return {"session_id": key.session_id, "side": key.side.value, "attempt": key.number}


def _attempt(key: AttemptKey, row: Row) -> Attempt:
    turn = None
    if row["turn_purpose"] is not None:
        turn = Turn(Purpose(row["turn_purpose"]), row["turn_owner"], row["turn_until"])
    return Attempt(key, row["provider_session_id"], turn, row["is_lost"])


def _dump(negotiated: Negotiated) -> bytes:
    sdp = negotiated.sdp
    tracks = [
        [one.name, one.mid, one.provider_session_id, one.failure and one.failure.value] for one in negotiated.tracks
    ]
    return orjson.dumps([sdp and [sdp.kind.value, sdp.text], negotiated.must_answer, tracks])


def _load(text: bytes) -> Negotiated:
    sdp, must_answer, tracks = orjson.loads(bytes(text))
    return Negotiated(
        Sdp(SdpKind(sdp[0]), sdp[1]) if sdp else None,
        must_answer,
        tuple(
            TrackResult(name, mid, provider_session_id, TrackFailure(failure) if failure else None)
            for name, mid, provider_session_id, failure in tracks
        ),
    )
