"""Calls that a busy process has not begun to read: a crowd of them is kept, and what goes beyond is told at once."""

import asyncio
import time
from collections import Counter
from typing import Any

import grpc
from telemed.video.v1 import video_service_pb2 as pb
from telemed.video.v1.video_service_pb2_grpc import (
    VideoServiceServicer,
    VideoServiceStub,
    add_VideoServiceServicer_to_server,
)

from chassis.server import build_server
from tests.fix_services import stub

MOST = 40


class Busy(VideoServiceServicer):  # type: ignore[misc]  # generated without types
    """Its first call keeps the whole process busy for a while, as much work at once does."""

    def __init__(self) -> None:
        self.count = 0

    async def GetSession(self, _: pb.GetSessionRequest, __: Any) -> pb.Session:
        self.count += 1
        if self.count == 1:
            time.sleep(1)  # noqa: ASYNC251 - the loop is to be blocked
        return pb.Session()


async def test_a_crowd_is_kept_and_what_goes_beyond_is_ended_unread():
    servicer = Busy()
    built = build_server([], services=[], most_unread=MOST)
    add_VideoServiceServicer_to_server(servicer, built.server)
    port = built.server.add_insecure_port("127.0.0.1:0")
    await built.server.start()
    try:
        async with stub(VideoServiceStub, f"127.0.0.1:{port}") as video:

            async def call() -> str:
                try:
                    await video.GetSession(pb.GetSessionRequest(), timeout=20)
                except grpc.aio.AioRpcError as error:
                    return error.code().name
                return "OK"

            codes = Counter(await asyncio.gather(*(call() for _ in range(5 * MOST))))
    finally:
        await built.server.stop(None)
    assert codes.keys() == {"OK", "CANCELLED"}
    assert codes["OK"] == servicer.count, "what was ended had not been read"
    assert MOST <= codes["OK"] <= 2 * MOST
