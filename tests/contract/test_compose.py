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
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
OF_OTHERS = {"postgres", "redis", "collector", "jaeger", "prometheus", "grafana"}
SETTINGS = {
    "appointment": AppointmentSettings,
    "doctor": DoctorSettings,
    "video": VideoSettings,
    "gateway": GatewaySettings,
}


@pytest.fixture(scope="module")
def composition() -> dict[str, Any]:
    # As the engine does, with every variable of the caller's left to its default.
    text = DEFAULT.sub(r"\1", (ROOT / "docker-compose.yml").read_text())
    return dict(yaml.safe_load(text))


@pytest.fixture(scope="module")
def services(composition: dict[str, Any]) -> dict[str, Any]:
    return dict(composition["services"])


def test_the_composition_is_one_by_the_specification(composition: dict[str, Any]):
    compose_spec = pytest.importorskip("compose_spec", reason="needs compose-spec: make install-dev")
    found = compose_spec.PyCompose.from_yaml(yaml.safe_dump(composition))
    found.validate()
    assert set(found.service_names()) == {*SETTINGS, "migrate", "issuer", *OF_OTHERS}
    misspelt = {"services": {"one": {"image": "one", "depnds_on": []}}}
    with pytest.raises(ValueError, match="depnds_on"):
        compose_spec.PyCompose.from_yaml(yaml.safe_dump(misspelt))


@pytest.mark.parametrize("name", SETTINGS)
def test_a_service_understands_its_environment(
    composition: dict[str, Any], services: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
):
    environment = services[name]["environment"]
    for variable, value in environment.items():
        monkeypatch.setenv(variable, str(value or ""))
    secrets = {secret: composition["secrets"][secret]["file"] for secret in services[name].get("secrets", [])}
    folder = ROOT / Path(next(iter(secrets.values()), ".")).parent
    settings = SETTINGS[name](_secrets_dir=folder if secrets else None)  # type: ignore[operator]
    shared = SharedSettings()  # type: ignore[call-arg]
    assert str(settings.port) == services[name]["healthcheck"]["test"][-1]
    assert str(shared.jwks_file) == "/run/telemed/issuer/jwks.json"
    prefix = settings.model_config["env_prefix"]
    known = {f"{prefix}{field}".upper() for field in type(settings).model_fields}
    known |= {f"TELEMED_{field}".upper() for field in SharedSettings.model_fields} | {
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "TELEMED_SECRETS_DIR",
        "REDIS_URL",
    }
    assert {secret.upper() for secret in secrets} <= known
    assert environment["TELEMED_SECRETS_DIR"] == "/run/secrets", "where the engine puts them"
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


def test_nothing_runs_with_more_rights_than_it_needs(services: dict[str, Any]):
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert service["cpus"], name
        assert name not in OF_OTHERS or service["user"] not in ("root", "0"), name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is for this machine"


def test_every_image_of_others_is_pinned_and_observability_is_a_choice(services: dict[str, Any]):
    for name in OF_OTHERS:
        assert re.search(r":v?\d+\.\d+", services[name]["image"]), name
        expected = ["observability"] if name not in ("postgres", "redis") else None
        assert services[name].get("profiles") == expected, name


def test_no_secret_stands_in_an_environment(composition: dict[str, Any], services: dict[str, Any]):
    secrets = {name: (ROOT / secret["file"]).read_text().strip() for name, secret in composition["secrets"].items()}
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            assert "://telemed:" not in str(value), f"{name}: {variable}"
            assert not variable.endswith("PASSWORD"), f"{name}: {variable}"
        assert set(service.get("secrets", [])) <= set(secrets)
    assert all(secrets.values())


def test_whoever_is_waited_for_is_there_and_can_say_that_it_is_healthy(services: dict[str, Any]):
    for name, service in services.items():
        needs = service.get("depends_on", {})
        for needed, how in (dict.fromkeys(needs) if isinstance(needs, list) else needs).items():
            assert needed in services, name
            if how and how["condition"] == "service_healthy":
                assert services[needed]["healthcheck"]["test"], f"{name} waits for {needed}"


def test_every_file_that_is_mounted_is_there(services: dict[str, Any]):
    mounted = [volume for service in services.values() for volume in service.get("volumes", []) if volume[0] == "."]
    assert len(mounted) == 4
    for volume in mounted:
        source, _, mode = volume.split(":")
        assert (ROOT / source).exists(), volume
        assert mode == "ro"


def test_the_collectors_pipeline_uses_what_it_defines_and_ends_at_jaeger(services: dict[str, Any]):
    config = yaml.safe_load((ROOT / "deploy" / "otel" / "collector.yml").read_text())
    pipeline = config["service"]["pipelines"]["traces"]
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) == set(config[kind]), kind
    assert pipeline["processors"][0] == "memory_limiter"
    assert set(config["service"]["extensions"]) == set(config["extensions"])
    host, _, port = config["exporters"]["otlp/jaeger"]["endpoint"].partition(":")
    assert (host in services, port) == (True, "4317")
    assert config["receivers"]["otlp"]["protocols"]["http"]["endpoint"].endswith(":4318"), "where our processes send"


def test_prometheus_scrapes_the_port_that_the_image_shows_numbers_on():
    scraped = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    found = {job["job_name"]: job["dns_sd_configs"][0] for job in scraped}
    assert set(found) == set(SETTINGS)
    port = re.search(r"TELEMED_ADMIN_PORT=(\d+)", DOCKERFILE.read_text())
    assert port
    for name, discovery in found.items():
        assert discovery["names"] == [name]
        assert str(discovery["port"]) == port[1]


def test_the_image_is_built_by_hash_and_runs_as_nobody_in_particular():
    _, build, final = DOCKERFILE.read_text().split("\nFROM ")
    assert build.count("--require-hashes") == 2
    assert "uninstall --yes hatchling" in build
    assert re.search(r"^USER 10001$", final, re.MULTILINE)
    assert "HEALTHCHECK" in final
    assert "pip install" not in final
    [version] = set(re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(), re.MULTILINE))
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+", version)
