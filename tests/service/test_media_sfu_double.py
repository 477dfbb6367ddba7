"""The double with real media: what one aiortc client sends through Cloudflare's API, another one sees."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import VideoStreamTrack

from tests.doubles.cloudflare import CloudflareDouble, cloudflare
from tests.doubles.cloudflare_calls import APP_ID, APP_SECRET
from tests.doubles.media_sfu import RelayEngine, on_loopback


@pytest.fixture
async def sfu() -> AsyncIterator[CloudflareDouble]:
    engine = RelayEngine()
    with on_loopback():
        async with cloudflare(engine) as double:
            yield double
        await engine.stop()


class Browser:
    """What a page does: one connection, described to the API by plain HTTP."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.connection = RTCPeerConnection()
        self.received: asyncio.Queue[MediaStreamTrack] = asyncio.Queue()
        self.connection.on("track", self.received.put_nowait)
        self.session_id = ""

    async def join(self) -> None:
        self.session_id = (await self._http.post("/sessions/new")).json()["sessionId"]

    async def publish(self, name: str) -> None:
        self.connection.addTrack(VideoStreamTrack())
        await self.connection.setLocalDescription(await self.connection.createOffer())
        description = {"type": "offer", "sdp": self.connection.localDescription.sdp}
        mid = self.connection.getTransceivers()[-1].mid
        items = [{"location": "local", "mid": mid, "trackName": name}]
        answer = await self._call("POST", "tracks/new", {"sessionDescription": description, "tracks": items})
        await self.connection.setRemoteDescription(RTCSessionDescription(**answer["sessionDescription"]))

    async def subscribe(self, session_id: str, name: str) -> MediaStreamTrack:
        items = [{"location": "remote", "sessionId": session_id, "trackName": name}]
        offer = await self._call("POST", "tracks/new", {"tracks": items})
        assert offer["requiresImmediateRenegotiation"] is True
        await self.connection.setRemoteDescription(RTCSessionDescription(**offer["sessionDescription"]))
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        description = {"type": "answer", "sdp": self.connection.localDescription.sdp}
        assert await self._call("PUT", "renegotiate", {"sessionDescription": description}) == {}
        return await asyncio.wait_for(self.received.get(), 5)

    async def _call(self, method: str, what: str, body: object) -> dict:
        response = await self._http.request(method, f"/sessions/{self.session_id}/{what}", json=body)
        assert response.status_code == 200, response.text
        return response.json()


async def test_frames_flow_both_ways_through_the_relay(sfu: CloudflareDouble) -> None:
    base = f"{sfu.base_url}/apps/{APP_ID}"
    async with httpx.AsyncClient(base_url=base, headers={"authorization": f"Bearer {APP_SECRET}"}) as http:
        patient, doctor = Browser(http), Browser(http)
        for browser, name in ((patient, "patient-camera"), (doctor, "doctor-camera")):
            await browser.join()
            await browser.publish(name)
        seen_by_doctor = await doctor.subscribe(patient.session_id, "patient-camera")
        seen_by_patient = await patient.subscribe(doctor.session_id, "doctor-camera")
        for track in (seen_by_doctor, seen_by_patient):
            frames = [await asyncio.wait_for(track.recv(), 10) for _ in range(5)]
            assert (frames[0].width, frames[0].height) == (640, 480)
            assert len({frame.pts for frame in frames}) == 5
        for browser in (patient, doctor):
            await browser.connection.close()
