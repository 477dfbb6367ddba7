"""Cloudflare Realtime's published HTTPS API, spoken over plain HTTP on loopback, with faults on demand."""

import asyncio
import secrets
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.cloudflare_calls import (
    APP_SECRET,
    TURN_KEY_TOKEN,
    TURN_PATH,
    ApiError,
    Fault,
    error_reply,
    json_of,
    known,
    operation_of,
    refused,
)
from tests.doubles.http_server import Call, HttpServer, Reply, listening
from tests.doubles.sfu_engine import BadDescription, Engine, TextEngine, item_error

_MOST_TRACKS = 64
_GOOD = (200, 201, 204)


@dataclass
class Track:
    """A track on a session, as inspection tells it."""

    location: str
    mid: str
    name: str
    source: str = ""
    active: bool = True

    def shown(self) -> dict[str, str]:
        shown = {"location": self.location, "mid": self.mid, "trackName": self.name}
        shown |= {"sessionId": self.source} if self.source else {}
        return shown | {"status": "active" if self.active else "inactive"}


@dataclass
class SfuSession:
    """One PeerConnection of the SFU; while `awaits_answer` no other negotiation may begin."""

    tracks: dict[str, Track] = field(default_factory=dict)
    awaits_answer: bool = False
    correlation: str = ""


@dataclass
class CloudflareDouble:
    """The provider: its sessions, the requests it got, and the faults that it still has to make."""

    engine: Engine = field(default_factory=TextEngine)
    sessions: dict[str, SfuSession] = field(default_factory=dict)
    credentials: dict[str, int] = field(default_factory=dict)
    revoked: list[str] = field(default_factory=list)
    calls: list[tuple[str, Call]] = field(default_factory=list)
    at_once: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    most_at_once: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    legacy_ice: bool = False
    base_url: str = ""
    server: HttpServer = field(init=False)
    _faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))

    def __post_init__(self) -> None:
        self.server = HttpServer(self.answer)

    def will(self, operation: str, *faults: Fault) -> None:
        """The next calls of an operation (`sessions/new`, `tracks/new`, `ice`, …) go wrong so, one after the other."""
        self._faults[operation].extend(faults)

    def operations(self) -> list[str]:
        """What was called so far, in order."""
        return [operation for operation, _ in self.calls]

    def bodies(self, operation: str) -> list[Any]:
        """The bodies of the calls of one operation."""
        return [call.json() if call.body else None for name, call in self.calls if name == operation]

    def open_tracks(self, session_id: str) -> set[str]:
        """The mids of a session that still carry media."""
        return {mid for mid, track in self.sessions[session_id].tracks.items() if track.active}

    async def answer(self, call: Call) -> Reply:
        operation, session_id = operation_of(call)
        self.calls.append((operation, call))
        self.at_once[session_id] += 1
        self.most_at_once[session_id] = max(self.most_at_once[session_id], self.at_once[session_id])
        try:
            return await self._answer(operation, session_id, call)
        finally:
            self.at_once[session_id] -= 1

    async def _answer(self, operation: str, session_id: str, call: Call) -> Reply:
        fault = self._faults[operation].popleft() if self._faults[operation] else Fault()
        await asyncio.sleep(fault.delay_seconds)
        goes_on = fault.status in _GOOD
        reply = refused(fault)
        if goes_on or fault.after_effect:
            try:
                done = await self._do(operation, session_id, call, fault)
            except ApiError as error:
                done = error_reply(error.status, error.code)
            reply = done if goes_on else reply
        if fault.silent:
            return Reply(200, silent=True)
        if fault.hang_up:
            return Reply(reply.status, reply.body, cut=0)
        return Reply(reply.status, reply.body, reply.headers, cut=fault.cut)

    async def _do(self, operation: str, session_id: str, call: Call, fault: Fault) -> Reply:
        if fault.answer is not None:
            return Reply(fault.status, fault.answer)
        self._authorise(operation, call)
        if operation == "sessions/new":
            return self._new_session(call)
        if operation == "ice":
            return self._ice_servers(json_of(call))
        if operation == "revoke":
            return self._revoke(call)
        session = self.sessions.get(session_id)
        if session is None:
            raise ApiError(410, "session_error")
        if operation == "inspect":
            return Reply(200, {"tracks": [track.shown() for track in session.tracks.values()], "dataChannels": []})
        body = json_of(call)
        if operation == "renegotiate":
            return await self._renegotiate(session_id, session, body)
        if operation == "tracks/close":
            return await self._close(session_id, session, body, fault)
        if operation == "tracks/update":
            return self._update(session, body)
        return await self._tracks(session_id, session, body, fault)

    def _authorise(self, operation: str, call: Call) -> None:
        if operation == "unknown":
            raise ApiError(404, "not_found")
        secret = TURN_KEY_TOKEN if operation in ("ice", "revoke") else APP_SECRET
        if call.headers.get("authorization") != f"Bearer {secret}":
            raise ApiError(401, "unauthorized")

    def _new_session(self, call: Call) -> Reply:
        if call.body:
            raise ApiError(400, "decoding_error")
        session_id = secrets.token_hex(16)
        self.sessions[session_id] = SfuSession(correlation=call.query.removeprefix("correlationId="))
        return Reply(201, {"sessionId": session_id})

    async def _tracks(self, session_id: str, session: SfuSession, body: Any, fault: Fault) -> Reply:
        items = body.get("tracks") or []
        places = {item.get("location") for item in items}
        if not items or len(items) > _MOST_TRACKS or places not in ({"local"}, {"remote"}):
            raise ApiError(400, "invalid_params")
        if session.awaits_answer:
            raise ApiError(406, "invalid_session_description")
        try:
            if places == {"local"}:
                return await self._publish(session_id, session, body, fault)
            return await self._subscribe(session_id, session, items, fault)
        except BadDescription:
            raise ApiError(406, "invalid_session_description") from None

    async def _publish(self, session_id: str, session: SfuSession, body: Any, fault: Fault) -> Reply:
        offer = body.get("sessionDescription") or {}
        if offer.get("type") != "offer":
            raise ApiError(406, "invalid_session_description")
        good = {item["mid"]: item["trackName"] for item in body["tracks"] if item["trackName"] not in fault.items}
        answer = await self.engine.publish(session_id, offer["sdp"], good)
        session.tracks |= {mid: Track("local", mid, name) for mid, name in good.items()}
        results = [
            item_error({"trackName": item["trackName"], "mid": item["mid"]}, fault.items[item["trackName"]])
            if item["trackName"] in fault.items
            else {"trackName": item["trackName"], "mid": item["mid"]}
            for item in body["tracks"]
        ]
        description = {"type": "answer", "sdp": answer}
        return Reply(
            200, {"requiresImmediateRenegotiation": False, "sessionDescription": description, "tracks": results}
        )

    async def _subscribe(self, session_id: str, session: SfuSession, items: list[Any], fault: Fault) -> Reply:
        codes = {item["trackName"]: fault.items.get(item["trackName"]) or self._missing(item) for item in items}
        good = [item for item in items if not codes[item["trackName"]]]
        answer: dict[str, Any] = {"requiresImmediateRenegotiation": bool(good)}
        mids: dict[str, str] = {}
        if good:
            wanted = [(item["sessionId"], item["trackName"]) for item in good]
            offer, new = await self.engine.subscribe(session_id, wanted)
            mids = {name: mid for (_, name), mid in zip(wanted, new, strict=True)}
            session.tracks |= {mids[name]: Track("remote", mids[name], name, source) for source, name in wanted}
            session.awaits_answer = True
            answer["sessionDescription"] = {"type": "offer", "sdp": offer}
        answer["tracks"] = [
            item_error({**known(item), "mid": ""}, codes[item["trackName"]])
            if codes[item["trackName"]]
            else {**known(item), "mid": mids[item["trackName"]]}
            for item in items
        ]
        return Reply(200, answer)

    def _missing(self, item: Any) -> str:
        source = self.sessions.get(item.get("sessionId", ""))
        names = {track.name for track in source.tracks.values() if track.active and not track.source} if source else ()
        return "" if item["trackName"] in names else "not_found_track_error"

    async def _renegotiate(self, session_id: str, session: SfuSession, body: Any) -> Reply:
        description = body.get("sessionDescription") or {}
        if description.get("type") != "answer" or not session.awaits_answer:
            raise ApiError(406, "invalid_session_description")
        try:
            await self.engine.accept(session_id, description["sdp"])
        except BadDescription:
            raise ApiError(406, "invalid_session_description") from None
        session.awaits_answer = False
        return Reply(200, {})

    async def _close(self, session_id: str, session: SfuSession, body: Any, fault: Fault) -> Reply:
        if body.get("force") is not True or not body.get("tracks"):
            raise ApiError(400, "invalid_params")
        results = []
        for mid in (item["mid"] for item in body["tracks"]):
            track = session.tracks.get(mid)
            if mid in fault.items:
                results.append(item_error({"mid": mid}, fault.items[mid]))
            elif track is None or not track.active:
                results.append(item_error({"mid": mid}, "close_track_error"))
            else:
                track.active = False
                await self.engine.close(session_id, mid)
                results.append({"mid": mid})
        return Reply(200, {"requiresImmediateRenegotiation": False, "tracks": results})

    def _update(self, session: SfuSession, body: Any) -> Reply:
        results = []
        for item in body.get("tracks") or []:
            track = session.tracks.get(item.get("mid", ""))
            code = "update_track_error" if track is None or not track.source else self._missing(item)
            if track is not None and not code:
                track.source, track.name = item["sessionId"], item["trackName"]
            told = {**known(item), "mid": item.get("mid", "")}
            results.append(item_error(told, code) if code else told)
        return Reply(200, {"requiresImmediateRenegotiation": False, "tracks": results})

    def _ice_servers(self, body: Any) -> Reply:
        if not isinstance(body.get("ttl"), int) or not 0 < body["ttl"] <= 48 * 3600:
            raise ApiError(400, "invalid_params")
        username, credential = secrets.token_hex(32), secrets.token_hex(32)
        self.credentials[username] = body["ttl"]
        turn = [
            "turn:turn.cloudflare.com:3478?transport=udp",
            "turn:turn.cloudflare.com:53?transport=udp",
            "turn:turn.cloudflare.com:80?transport=tcp",
            "turns:turn.cloudflare.com:443?transport=tcp",
        ]
        stun = ["stun:stun.cloudflare.com:3478", "stun:stun.cloudflare.com:53"]
        if self.legacy_ice:
            return Reply(201, {"iceServers": {"urls": [*stun, *turn], "username": username, "credential": credential}})
        relay = {"urls": turn, "username": username, "credential": credential}
        return Reply(201, {"iceServers": [{"urls": stun}, relay]})

    def _revoke(self, call: Call) -> Reply:
        username = call.path.removeprefix(TURN_PATH).removesuffix("/revoke")
        if username not in self.credentials:
            raise ApiError(404, "not_found")
        self.revoked.append(username)
        return Reply(204)


@asynccontextmanager
async def cloudflare(engine: Engine | None = None) -> AsyncIterator[CloudflareDouble]:
    """A provider on loopback for the length of the block."""
    double = CloudflareDouble(engine or TextEngine())
    async with listening(double.server) as address:
        double.base_url = f"{address}/v1"
        yield double
