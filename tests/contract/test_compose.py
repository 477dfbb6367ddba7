"""The composition of containers names variables, commands and ports that the processes really know."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from appointment_svc.settings import AppointmentSettings
from chassis.settings import SharedSettings
from doctor_svc.settings import DoctorSettings
from gateway.settings import GatewaySettings
from stack.cli import parser
from video_svc.provider_settings import CloudflareSettings
from video_svc.settings import VideoSettings

ROOT = Path(__file__).parents[2]
DEFAULT = re.compile(r"\$\{[A-Z_]+:-([^}]*)\}")
SETTINGS = {
    "appointment": AppointmentSettings,
    "doctor": DoctorSettings,
    "video": VideoSettings,
    "gateway": GatewaySettings,
}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    # As the engine does, with every variable of the caller's left to its default.
    text = DEFAULT.sub(r"\1", (ROOT / "docker-compose.yml").read_text())
    document = yaml.safe_load(text)
    return dict(document["services"])


@pytest.mark.parametrize("name", SETTINGS)
def test_a_service_understands_its_environment(services: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch):
    environment = services[name]["environment"]
    for variable, value in environment.items():
        monkeypatch.setenv(variable, str(value or ""))
    settings = SETTINGS[name]()  # type: ignore[operator]
    shared = SharedSettings()  # type: ignore[call-arg]
    assert str(settings.port) == services[name]["healthcheck"]["test"][-1]
    assert str(shared.jwks_file) == "/run/telemed/issuer/jwks.json"
    prefix = settings.model_config["env_prefix"]
    known = {f"{prefix}{field}".upper() for field in type(settings).model_fields}
    known |= {f"TELEMED_{field}".upper() for field in SharedSettings.model_fields} | {"OTEL_EXPORTER_OTLP_ENDPOINT"}
    known |= {f"CLOUDFLARE_{field}".upper() for field in CloudflareSettings.model_fields if name == "video"}
    assert set(environment) <= known


def test_every_telemed_command_is_one(services: dict[str, Any]):
    commands = [service["command"] for service in services.values() if service.get("command", [""])[0] == "telemed"]
    commands += [
        s["healthcheck"]["test"][1:] for s in services.values() if "telemed" in s.get("healthcheck", {}).get("test", "")
    ]
    assert len(commands) >= 6
    for command in commands:
        parser().parse_args(command[1:])


def test_no_process_of_ours_runs_with_more_rights_than_it_needs(services: dict[str, Any]):
    for name in (*SETTINGS, "migrate", "issuer"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    assert "USER telemed" in (ROOT / "deploy" / "Dockerfile").read_text()
