"""The Kubernetes manifests: valid by Kubernetes' own schemas, and true to our settings, ports, drain and call graph."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from chassis.health import LIVENESS
from stack.cli import parser
from tests.contract.test_compose import DOCKERFILE, ROOT, SETTINGS

FOLDER = ROOT / "deploy" / "kubernetes"
BASE = FOLDER / "base"
VERSION = "1.33"
# The picture in docs/architecture.md: who calls whom.
CALLS = {
    "gateway": {"appointment", "doctor", "video"},
    "appointment": {"doctor"},
    "doctor": {"appointment"},
    "video": {"appointment"},
}
NAME = "app.kubernetes.io/name"


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


MANIFESTS = [
    (path, document)
    for path in sorted((*BASE.glob("*.yaml"), *(FOLDER / "overlays").rglob("*.yaml")))
    if path.name != "kustomization.yaml"
    for document in documents(path)
]
ALL = {(doc["kind"], doc["metadata"]["name"]): doc for path, doc in MANIFESTS if path.parent == BASE}
# The pods of every workload, and the longest that theirs may run.
PODS = {
    name: doc["spec"]["jobTemplate"]["spec"]["template"] if kind == "CronJob" else doc["spec"]["template"]
    for (kind, name), doc in ALL.items()
    if kind in ("Deployment", "Job", "CronJob")
}


def container(name: str) -> dict[str, Any]:
    [only] = PODS[name]["spec"]["containers"]
    return dict(only)


def environment(name: str) -> dict[str, str]:
    own = {variable["name"]: variable["value"] for variable in container(name)["env"]}
    return ALL["ConfigMap", "telemed"]["data"] | own


@pytest.mark.parametrize(
    ("path", "document"),
    MANIFESTS,
    ids=[f"{path.parent.name}/{d['kind']}-{d['metadata']['name']}" for path, d in MANIFESTS],
)
def test_a_manifest_is_one_by_the_schema(path: Path, document: dict[str, Any]):
    kubernetes_validate = pytest.importorskip(
        "kubernetes_validate", reason="needs kubernetes-validate: make install-dev"
    )
    # What changes another one is no whole object.
    if "patches" in (path.parent / "kustomization.yaml").read_text() and path.name == "replicas.yaml":
        document["spec"].setdefault("scaleTargetRef", {"kind": "Deployment", "name": document["metadata"]["name"]})
    kubernetes_validate.validate(document, VERSION, strict=True)


def test_every_file_belongs_to_a_kustomization():
    for folder in (BASE, FOLDER / "overlays" / "production"):
        kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
        named = {*kustomization["resources"], *(patch["path"] for patch in kustomization.get("patches", []))}
        assert {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"} == named - {"../../base"}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_process_understands_its_environment(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for variable, value in environment(name).items():
        monkeypatch.setenv(variable, value)
    (tmp_path / f"{name}_database_url").write_text("postgresql://somewhere/telemed")
    settings = SETTINGS[name](_secrets_dir=tmp_path)  # type: ignore[operator]
    prefix = settings.model_config["env_prefix"]
    known = {f"{prefix}{field}".upper() for field in type(settings).model_fields}
    own = {variable["name"] for variable in container(name)["env"]}
    assert own <= known | {"TELEMED_SERVICE_TOKEN_FILE", "REDIS_URL"}
    ports = {port["name"]: port["containerPort"] for port in container(name)["ports"]}
    assert settings.port in ports.values()
    assert f"TELEMED_ADMIN_PORT={ports['metrics']}" in DOCKERFILE.read_text()
    assert str(ports["metrics"]) == PODS[name]["metadata"]["annotations"]["prometheus.io/port"]
    assert settings.host == "0.0.0.0"  # noqa: S104 - the kubelet asks from outside of the pod


@pytest.mark.parametrize("name", SETTINGS)
def test_a_pod_is_given_the_time_that_its_stop_may_take(name: str):
    spec, told = PODS[name]["spec"], environment(name)
    pause = container(name)["lifecycle"]["preStop"]["sleep"]["seconds"]
    stop = sum(float(told[f"{name.upper()}_{part}_SECONDS"]) for part in ("DRAIN", "GRACE"))
    assert spec["terminationGracePeriodSeconds"] >= pause + stop + 5
    assert spec["enableServiceLinks"] is False, "a Service called appointment would set APPOINTMENT_PORT"


@pytest.mark.parametrize("name", SETTINGS)
def test_a_rollout_takes_no_replica_away_before_another_is_ready(name: str):
    deployment = ALL["Deployment", name]["spec"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    budget = ALL["PodDisruptionBudget", name]["spec"]
    assert (budget["maxUnavailable"], deployment["replicas"] >= 2) == (1, True)
    scaler = ALL["HorizontalPodAutoscaler", name]["spec"]
    assert scaler["minReplicas"] == deployment["replicas"] < scaler["maxReplicas"]
    for selector in (budget["selector"]["matchLabels"], deployment["selector"]["matchLabels"]):
        assert selector == {NAME: name}


@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "gateway"])
def test_liveness_never_asks_the_database_and_readiness_does(name: str):
    found = container(name)
    port = int(environment(name)[f"{name.upper()}_PORT"])
    assert found["livenessProbe"]["grpc"] == {"port": port, "service": LIVENESS}
    assert found["readinessProbe"]["grpc"] == {"port": port}
    service = ALL["Service", name]["spec"]
    assert (service["clusterIP"], service["ports"][0]["port"]) == ("None", port), "each replica has an address"


@pytest.mark.parametrize("name", PODS)
def test_a_pod_keeps_to_the_restricted_standard(name: str):
    spec = PODS[name]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    security = container(name)["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert set(container(name)["resources"]) == {"requests", "limits"}
    assert ALL["Namespace", "telemed"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("name", ["migrate", "audit"])
def test_a_jobs_command_is_one(name: str):
    parser().parse_args(container(name)["command"][1:])


def _policies(way: str) -> list[dict[str, Any]]:
    policies = [doc["spec"] for (kind, _), doc in ALL.items() if kind == "NetworkPolicy"]
    return [spec for spec in policies if way in spec["policyTypes"] and spec.get(way.lower())]


def _pods_of(selector: dict[str, Any]) -> set[str]:
    if NAME in selector.get("matchLabels", {}):
        return {selector["matchLabels"][NAME]}
    return {name for expression in selector.get("matchExpressions", []) for name in expression["values"]}


def _edges(way: str, peers: str) -> set[tuple[str, str, int]]:
    found = set()
    for spec in _policies(way):
        for rule in spec[way.lower()]:
            for peer in rule[peers]:
                for own in _pods_of(spec["podSelector"]):
                    for other in _pods_of(peer.get("podSelector", {})):
                        ends = (other, own) if way == "Ingress" else (own, other)
                        found |= {(*ends, port["port"]) for port in rule["ports"]}
    return found


def test_the_network_lets_through_the_calls_of_the_picture_and_no_others():
    ports = {name: int(environment(name)[f"{name.upper()}_PORT"]) for name in SETTINGS}
    calls = {(caller, callee, ports[callee]) for caller, callees in CALLS.items() for callee in callees}
    to_redis = {(name, "redis", 6379) for name in SETTINGS if "REDIS_URL" in environment(name)}
    assert _edges("Ingress", "from") == _edges("Egress", "to") == calls | to_redis
    deny = ALL["NetworkPolicy", "default-deny"]["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_targets_name_services_that_there_are():
    for name, callees in CALLS.items():
        told = environment(name)
        if name == "gateway":
            targets = set(json.loads(told["GATEWAY_UPSTREAMS"]).values())
        else:
            targets = {told[variable] for variable in told if variable.endswith("_TARGET")}
        assert targets == {f"dns:///{callee}:{environment(callee)[f'{callee.upper()}_PORT']}" for callee in callees}


def test_every_secret_that_is_mounted_is_explained():
    page = (FOLDER / "README.md").read_text()
    mounted = {
        v["secret"]["secretName"] for pod in PODS.values() for v in pod["spec"].get("volumes", []) if "secret" in v
    }
    assert len(mounted) == 9
    for name in mounted:
        assert f"`{name}`" in page
