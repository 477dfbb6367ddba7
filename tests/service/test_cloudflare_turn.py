"""Cloudflare's TURN credentials: both forms of the answer, what browsers cannot use, and when they end."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.doubles.cloudflare import CloudflareDouble
from tests.doubles.cloudflare_calls import TURN_KEY_ID, Fault
from tests.fix_cloudflare import failure, http_to
from video_svc.app.media_errors import MediaErrorKind
from video_svc.domain.media import IceServers
from video_svc.peers.cloudflare_turn import CloudflareTurn

HOUR = timedelta(hours=1)


def urls(ice: IceServers) -> list[str]:
    return [url for server in ice.servers for url in server.urls]


@pytest.mark.parametrize("is_legacy", [False, True], ids=["a list", "one object"])
async def test_both_forms_of_the_answer_give_the_same_addresses(
    turn: CloudflareTurn, double: CloudflareDouble, is_legacy: bool
) -> None:
    double.legacy_ice = is_legacy
    ice = await turn.ice_servers("subject", HOUR)
    assert urls(ice) == [
        "stun:stun.cloudflare.com:3478",
        "turn:turn.cloudflare.com:3478?transport=udp",
        "turn:turn.cloudflare.com:80?transport=tcp",
        "turns:turn.cloudflare.com:443?transport=tcp",
    ]
    relay = ice.servers[-1]
    assert relay.username in double.credentials
    assert relay.credential
    assert relay.credential not in repr(ice)


async def test_the_provider_is_told_a_lifetime_and_a_name_that_says_nothing(
    turn: CloudflareTurn, double: CloudflareDouble
) -> None:
    before = datetime.now(UTC)
    ice = await turn.ice_servers("opaque", HOUR)
    assert double.bodies("ice") == [{"ttl": 3600, "customIdentifier": "opaque"}]
    assert ice.expires is not None
    assert before + HOUR <= ice.expires <= datetime.now(UTC) + HOUR


@pytest.mark.parametrize(
    ("asked", "ttl"), [(timedelta(days=9), 48 * 3600), (timedelta(seconds=1), 60), (timedelta(seconds=-5), 60)]
)
async def test_a_lifetime_that_they_do_not_grant_becomes_the_next_that_they_do(
    turn: CloudflareTurn, double: CloudflareDouble, asked: timedelta, ttl: int
) -> None:
    ice = await turn.ice_servers("subject", asked)
    assert list(double.credentials.values()) == [ttl]
    assert ice.expires is not None
    assert abs(ice.expires - datetime.now(UTC) - timedelta(seconds=ttl)) < timedelta(seconds=30)


async def test_credentials_are_revoked_and_once_more_is_no_error(
    turn: CloudflareTurn, double: CloudflareDouble
) -> None:
    username = (await turn.ice_servers("subject", HOUR)).servers[-1].username
    await turn.revoke(username)
    assert double.revoked == [username]
    await turn.revoke("nobody/../knows")
    assert double.revoked == [username]
    assert double.calls[-1][1].path.endswith("/credentials/nobody%2F..%2Fknows/revoke")


async def test_a_fault_is_tried_again_for_credentials_that_nobody_heard_of_harm_nobody(
    turn: CloudflareTurn, double: CloudflareDouble
) -> None:
    double.will("ice", Fault(503, after_effect=True), Fault(hang_up=True))
    ice = await turn.ice_servers("subject", HOUR)
    assert ice.servers[-1].username in double.credentials
    assert len(double.credentials) == 3


async def test_a_wrong_key_is_a_fault_of_the_configuration(double: CloudflareDouble) -> None:
    turn = CloudflareTurn(http_to(double.base_url, "wrong"), TURN_KEY_ID)
    assert (await failure(turn.ice_servers("subject", HOUR))).kind is MediaErrorKind.UNAUTHORISED
    assert (await failure(turn.revoke("somebody"))).kind is MediaErrorKind.UNAUTHORISED
    assert (await turn.health()).last_error == "UNAUTHORISED"
    await turn.http.close()


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"iceServers": []},
        {"iceServers": ["turn:x"]},
        {"iceServers": {"urls": "stun:only.example:3478"}},
        {"iceServers": [{"urls": ["turn:t.example:53"], "username": "u", "credential": "c"}]},
        {"iceServers": [{"urls": ["https://t.example", 7], "username": "u", "credential": "c"}]},
    ],
)
async def test_an_answer_without_a_relay_is_no_answer(
    turn: CloudflareTurn, double: CloudflareDouble, answer: object
) -> None:
    double.will("ice", Fault(201, answer=answer or ""))
    assert (await failure(turn.ice_servers("subject", HOUR))).kind is MediaErrorKind.UNAVAILABLE


async def test_one_address_instead_of_a_list_is_understood(turn: CloudflareTurn, double: CloudflareDouble) -> None:
    server = {"urls": "turn:t.example:5349", "username": "u", "credential": "c"}
    double.will("ice", Fault(201, answer={"iceServers": server}))
    assert urls(await turn.ice_servers("subject", HOUR)) == ["turn:t.example:5349"]
