"""Mutual TLS as deployments add it: their variables, files, names and probes are those that the processes know."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from chassis.settings import TlsSettings
from tests.contract.test_compose import ROOT, SETTINGS
from tests.contract.test_kubernetes import FOLDER, VERSION, container, documents, environment

COMPONENTS = FOLDER / "components"
MUTUAL_TLS, CERT_MANAGER = COMPONENTS / "mutual-tls", COMPONENTS / "cert-manager"
KNOWN = {f"TELEMED_{name}".upper() for name in TlsSettings.model_fields}
SERVICES = [name for name in SETTINGS if name != "gateway"]
# What a certificate manager puts into a secret.
FILES = {"tls.crt", "tls.key", "ca.crt"}


def hosts_called() -> set[str]:
    """The names by which services are called, in whatever target."""
    told = [value for name in SETTINGS for value in environment(name).values()]
    return {host for value in told for host in re.findall(r"dns:///([a-z.]+):\d+", value)}


def folders_of(variables: dict[str, str]) -> set[str]:
    """Where the files are that variables of TLS name, all of which have to be there."""
    assert set(variables) == KNOWN
    paths = [Path(value) for name, value in variables.items() if name.endswith("_FILE")]
    assert {path.name for path in paths} == FILES
    return {str(path.parent) for path in paths}


def test_every_file_of_a_component_belongs_to_it():
    for folder in (MUTUAL_TLS, CERT_MANAGER):
        component = yaml.safe_load((folder / "kustomization.yaml").read_text())
        assert component["kind"] == "Component"
        named = {*component.get("resources", []), *(patch["path"] for patch in component.get("patches", []))}
        assert {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"} == named


def test_each_pod_reads_a_secret_of_its_own_where_the_variables_say():
    [config] = documents(MUTUAL_TLS / "config.yaml")
    [mounted_at] = folders_of(config["data"])
    page, patched = (FOLDER / "README.md").read_text(), documents(MUTUAL_TLS / "pods.yaml")
    assert {patch["metadata"]["name"] for patch in patched} == set(SETTINGS)
    for patch in patched:
        name, spec = patch["metadata"]["name"], patch["spec"]["template"]["spec"]
        [changed] = spec["containers"]
        assert changed["name"] == container(name)["name"]
        [mount] = changed["volumeMounts"]
        assert (mount["mountPath"], mount["readOnly"]) == (mounted_at, True)
        [volume] = spec["volumes"]
        assert volume == {"name": mount["name"], "secret": {"secretName": f"telemed-{name}-tls"}}
        assert f"`{volume['secret']['secretName']}`" in page


@pytest.mark.parametrize("name", SERVICES)
def test_probes_ask_the_admin_port_instead_and_as_often_as_before(name: str):
    before = container(name)
    ports = {port["name"]: port["containerPort"] for port in before["ports"]}
    pages = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    patches = yaml.safe_load((MUTUAL_TLS / "probes.yaml").read_text())
    component = yaml.safe_load((MUTUAL_TLS / "kustomization.yaml").read_text())
    [target] = [patch["target"] for patch in component["patches"] if patch["path"] == "probes.yaml"]
    assert re.fullmatch(target["name"], name)
    assert not re.fullmatch(target["name"], "gateway"), "which speaks HTTP"
    assert {patch["path"].rpartition("/")[2] for patch in patches} == set(pages)
    for patch in patches:
        probe, kind = patch["value"], patch["path"].rpartition("/")[2]
        assert (patch["op"], probe.pop("httpGet")) == ("replace", {"path": pages[kind], "port": ports["metrics"]})
        assert probe == {key: value for key, value in before[kind].items() if key != "grpc"}


def test_certificates_are_good_for_the_names_by_which_services_are_called_and_for_both_ends():
    made = {one["metadata"]["name"]: one["spec"] for one in documents(CERT_MANAGER / "certificates.yaml")}
    assert {spec["secretName"] for spec in made.values()} == {f"telemed-{name}-tls" for name in SETTINGS}
    assert hosts_called() == set(SERVICES)
    issuers = {one["metadata"]["name"] for one in documents(CERT_MANAGER / "authority.yaml") if one["kind"] == "Issuer"}
    for spec in made.values():
        assert spec["secretName"] == f"telemed-{spec['dnsNames'][0]}-tls"
        assert {"server auth", "client auth"} <= set(spec["usages"])
        assert spec["privateKey"]["algorithm"] == "ECDSA"
        assert spec["issuerRef"]["name"] in issuers


def test_kubernetes_would_take_what_the_components_make_of_the_overlay(tmp_path: Path):
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("needs kubectl")
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="needs kubernetes-validate")
    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    overlay = tmp_path / "kubernetes" / "overlays" / "production"
    with (overlay / "kustomization.yaml").open("a") as file:
        file.write("components: [../../components/mutual-tls, ../../components/cert-manager]\n")
    ran = subprocess.run([kubectl, "kustomize", str(overlay)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    made = [document for document in yaml.safe_load_all(ran.stdout) if document]
    for document in made:
        if document["apiVersion"] != "cert-manager.io/v1":
            kubernetes_validate.validate(document, VERSION, strict=True)
    pods = {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in made if one["kind"] == "Deployment"}
    for name in SETTINGS:
        [only] = pods[name]["containers"]
        assert {"name": "tls", "mountPath": "/run/tls", "readOnly": True} in only["volumeMounts"]
        assert not any("grpc" in only[probe] for probe in ("startupProbe", "livenessProbe", "readinessProbe"))
        assert "grpc" in container(name)["livenessProbe"] or name == "gateway", "without the component, as ever"


@pytest.fixture(scope="module")
def override() -> Any:
    return yaml.safe_load((ROOT / "deploy" / "compose" / "tls.yml").read_text())["services"]


def test_containers_mount_a_folder_of_their_own_where_the_variables_say(override: Any):
    assert set(override) == set(SETTINGS)
    for name, service in override.items():
        [mounted_at] = folders_of(service["environment"])
        assert service["volumes"] == [f"${{TELEMED_TLS:-./deploy/compose/tls}}/{name}:{mounted_at}:ro"]


def test_the_script_for_trying_out_makes_what_processes_take(override: Any, tmp_path: Path):
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    command = ["sh", str(ROOT / "deploy" / "compose" / "make-certificates.sh"), str(tmp_path)]
    serials = set()
    for _ in range(2):
        subprocess.run(command, capture_output=True, check=True)
        for name in override:
            assert {path.name for path in (tmp_path / name).iterdir()} == FILES
            own = {path.name.replace(".", "_"): path for path in (tmp_path / name).iterdir()}
            settings = TlsSettings(
                tls_cert_file=own["tls_crt"],
                tls_key_file=own["tls_key"],
                tls_ca_file=own["ca_crt"],
                tls_client_certificates="required",
            )
            [certificate] = x509.load_pem_x509_certificates(settings.tls.read().certificates or b"")
            [authority] = x509.load_pem_x509_certificates((tmp_path / "ca.crt").read_bytes())
            certificate.verify_directly_issued_by(authority)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            assert names.get_values_for_type(x509.DNSName) == [name]
            serials.add(certificate.serial_number)
    assert len(serials) == 2 * len(override), "the second time they were renewed"
