"""What the environment may say to the video service."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from video_svc.domain.media import IceServer
from video_svc.settings import VideoSettings


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("VIDEO_PORT", "0")
    monkeypatch.setenv("VIDEO_DATABASE_URL", "dbname=telemed_video")
    monkeypatch.setenv("VIDEO_APPOINTMENT_TARGET", "localhost:3001")
    return monkeypatch


def ice_servers() -> list[IceServer]:
    return [server.to_server() for server in VideoSettings().ice_servers]


@pytest.mark.usefixtures("environment")
def test_the_defaults_are_a_public_stun_server_and_the_documented_window() -> None:
    settings = VideoSettings()
    assert ice_servers() == [IceServer(("stun:stun.cloudflare.com:3478",))]
    assert settings.join_rules.opens_before == timedelta(minutes=10)
    assert settings.join_rules.closes_after == timedelta(minutes=30)
    assert settings.join_token_ttl == timedelta(minutes=10)


def test_ice_servers_are_a_json_list_as_a_browser_has_it(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("VIDEO_ICE_SERVERS", '[{"urls":["turn:t.example:3478"],"username":"u","credential":"c"}]')
    assert ice_servers() == [IceServer(("turn:t.example:3478",), "u", "c")]
    assert "'c'" not in repr(VideoSettings())


@pytest.mark.parametrize(
    "text",
    [
        '[{"urls":["turn:t.example:3478"]}]',
        '[{"urls":["https://t.example"]}]',
        '[{"urls":[]}]',
        '[{"urls":["stun:s.example"],"password":"p"}]',
    ],
)
def test_an_ice_server_that_no_browser_could_use_stops_the_start(environment: pytest.MonkeyPatch, text: str) -> None:
    environment.setenv("VIDEO_ICE_SERVERS", text)
    with pytest.raises(ValidationError):
        VideoSettings()


def test_the_page_of_a_visit_lies_below_the_public_address(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("VIDEO_PUBLIC_URL", "https://clinic.example/care/")
    assert VideoSettings().visit_page == "https://clinic.example/care/session"


def test_a_join_token_may_not_live_longer_than_ten_minutes(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("VIDEO_JOIN_TOKEN_MINUTES", "11")
    with pytest.raises(ValidationError):
        VideoSettings()
