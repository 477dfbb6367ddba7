"""Which providers the environment chooses, and what it must say for that."""

import pytest
from pydantic import ValidationError

from video_svc.domain.media import Topology
from video_svc.peers.cloudflare_sfu import CloudflareSfu
from video_svc.peers.cloudflare_turn import CloudflareTurn
from video_svc.peers.coturn import Coturn
from video_svc.peers.peer_to_peer import PeerToPeer
from video_svc.peers.static_ice import StaticIce
from video_svc.provider_settings import ProviderSettings
from video_svc.providers import Providers, providers_of

SFU = {"CLOUDFLARE_REALTIME_APP_ID": "app", "CLOUDFLARE_REALTIME_API_TOKEN": "very-secret"}
TURN = {"CLOUDFLARE_TURN_KEY_ID": "key", "CLOUDFLARE_TURN_KEY_API_TOKEN": "very-secret"}
COTURN = {"VIDEO_COTURN_URLS": '["turn:t.example:3478"]', "VIDEO_COTURN_SECRET": "very-secret"}


async def chosen(environment: pytest.MonkeyPatch, **variables: str) -> Providers:
    for name, value in variables.items():
        environment.setenv(name, value)
    providers = providers_of(ProviderSettings())
    await providers.close()
    return providers


async def test_without_a_word_the_browsers_talk_to_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    providers = await chosen(monkeypatch)
    assert isinstance(providers.media, PeerToPeer)
    assert isinstance(providers.ice, StaticIce)
    assert providers.connections == ()


async def test_cloudflare_carries_media_and_relays(monkeypatch: pytest.MonkeyPatch) -> None:
    providers = await chosen(
        monkeypatch, VIDEO_MEDIA_PROVIDER="cloudflare", VIDEO_ICE_PROVIDER="cloudflare", **SFU, **TURN
    )
    assert isinstance(providers.media, CloudflareSfu)
    assert providers.media.app_id == "app"
    assert providers.media.caps.topology is Topology.SFU
    assert isinstance(providers.ice, CloudflareTurn)
    assert providers.ice.key_id == "key"


async def test_relays_may_be_the_clinics_own(monkeypatch: pytest.MonkeyPatch) -> None:
    providers = await chosen(monkeypatch, VIDEO_ICE_PROVIDER="coturn", **COTURN)
    assert providers.ice == Coturn(("turn:t.example:3478",), "very-secret")


@pytest.mark.parametrize(
    ("choice", "needed"),
    [
        ("VIDEO_MEDIA_PROVIDER=cloudflare", SFU),
        ("VIDEO_ICE_PROVIDER=cloudflare", TURN),
        ("VIDEO_ICE_PROVIDER=coturn", COTURN),
    ],
)
@pytest.mark.parametrize("missing", [0, 1])
def test_a_choice_without_all_that_it_needs_stops_the_start_and_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, choice: str, needed: dict[str, str], missing: int
) -> None:
    name, _, value = choice.partition("=")
    monkeypatch.setenv(name, value)
    gone, there = list(needed)[missing], list(needed)[1 - missing]
    monkeypatch.setenv(there, needed[there])
    with pytest.raises(ValidationError) as refused:
        ProviderSettings()
    assert f"{choice} needs {gone}" in str(refused.value)
    assert there not in str(refused.value)
    assert "very-secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VIDEO_MEDIA_PROVIDER", "zoom"),
        ("VIDEO_ICE_PROVIDER", "none"),
        ("CLOUDFLARE_REALTIME_APP_ID", "../../other"),
        ("CLOUDFLARE_REALTIME_API_TOKEN", "very-secret\nx: y"),
        ("CLOUDFLARE_REALTIME_BASE_URL", "rtc.live.cloudflare.com"),
        ("VIDEO_COTURN_URLS", '["https://t.example"]'),
    ],
)
def test_a_value_that_cannot_work_stops_the_start_and_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        ProviderSettings()
    assert "very-secret" not in str(refused.value)


def test_secrets_are_not_shown_and_lose_the_newline_of_their_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_REALTIME_API_TOKEN", "very-secret\n")
    settings = ProviderSettings()
    assert "very-secret" not in repr(settings)
    assert settings.cloudflare.realtime_api_token.get_secret_value() == "very-secret"
