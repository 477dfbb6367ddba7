"""The whole clinic with mutual TLS between its processes: bookings as ever, strangers refused, certificates renewed."""

import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import grpc
import httpx
import pytest
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc
from telemed.appointment.v1.appointment_service_pb2 import ListAppointmentsRequest

from chassis.context import Role
from telemed_client import Client, Targets, tls
from tests.certificates import Authority, Pair
from tests.fix_clinic import Clinic, in_days, running_clinic
from tests.fix_stack import ROOT

pytestmark = pytest.mark.timeout(300)
SERVICES = ("appointment", "doctor", "video")


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"), "ca")


@pytest.fixture(scope="module")
def own(ca: Authority) -> Pair:
    """The one that all processes of a stack share, for they are on one machine."""
    return ca.issue("process")


@pytest.fixture(scope="module")
def variables(ca: Authority, own: Pair) -> dict[str, str]:
    return {
        "TELEMED_TLS_CERT_FILE": str(own.certificate),
        "TELEMED_TLS_KEY_FILE": str(own.key),
        "TELEMED_TLS_CA_FILE": str(ca.root),
        "TELEMED_TLS_CLIENT_CERTIFICATES": "required",
    }


@pytest.fixture(scope="module")
def guarded(variables: dict[str, str]) -> Iterator[Clinic]:
    """A clinic whose services take calls from nobody without a certificate."""
    with running_clinic("--no-demo", **variables) as clinic:
        yield clinic


def book_first(clinic: Clinic, specialty: str) -> None:
    """A smart booking: gateway asks appointment, which asks doctor; then doctor has to have it by the feed."""
    doctor, patient, day = clinic.new_doctor(specialty=specialty), str(uuid4()), f"{in_days(9)}"
    wish = {
        "patient_id": patient,
        "preferred_date": day,
        "timezone": "UTC",
        "appointment_type": "GeneralConsultation",
        "specialty_required": specialty,
    }
    booked = clinic.ok("POST", "/appointments/smart-book", wish, who=(Role.PATIENT, patient))
    visit = booked["appointment"]
    assert (visit["doctor_id"], visit["status"]) == (doctor, "Confirmed")
    offered = clinic.ok("GET", f"/doctors/{doctor}/availability", date=day, at_least_revision=booked["revision"])
    starts = [slot["start_time"] for slot in offered["morning_slots"] + offered["afternoon_slots"]]
    assert starts
    assert visit["start_time"] not in starts


def status(variables: dict[str, str], clinic: Clinic) -> int:
    command = [sys.executable, "-m", "stack.cli", "status", "--data", str(clinic.data)]
    return subprocess.run(command, cwd=ROOT, env=os.environ | variables, check=False, timeout=90).returncode


def health_of(channel: grpc.Channel) -> grpc.StatusCode:
    with channel:
        try:
            health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
        except grpc.RpcError as error:
            return error.code()  # type: ignore[no-any-return,attr-defined]  # an error is a call, too
    return grpc.StatusCode.OK


def shown_by(clinic: Clinic, service: str, ca: Authority, own: Pair) -> int:
    """The serial number of the certificate that a service shows to a new connection."""
    host, _, port = clinic.target(service).rpartition(":")
    context = ssl.create_default_context(cafile=ca.root)
    context.load_cert_chain(own.certificate, own.key)
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


def test_a_booking_goes_through_three_processes_and_comes_back_by_the_feed(guarded: Clinic, variables: dict[str, str]):
    book_first(guarded, "Cardiology")
    assert status(variables, guarded) == 0, "whoever has the certificate sees that all are ready"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_speaks_to_nobody_without_a_certificate_of_the_clinic(
    guarded: Clinic, service: str, ca: Authority, own: Pair, tmp_path: Path
):
    target, stranger = guarded.target(service), Authority(tmp_path, "stranger").issue("stranger")
    trusted = tls(ca.root, key=own.key, certificates=own.certificate)
    assert health_of(grpc.secure_channel(target, trusted)) is grpc.StatusCode.OK
    for channel in (
        grpc.insecure_channel(target),
        grpc.secure_channel(target, tls(ca.root)),
        grpc.secure_channel(target, tls(ca.root, key=stranger.key, certificates=stranger.certificate)),
    ):
        assert health_of(channel) is grpc.StatusCode.UNAVAILABLE


def test_the_typed_client_shows_a_certificate_of_its_own(guarded: Clinic, ca: Authority):
    partner = ca.issue("partner")
    targets = Targets(*(guarded.target(service) for service in SERVICES))
    credentials = tls(ca.root, key=partner.key, certificates=partner.certificate)
    with Client(targets, guarded.token(), credentials=credentials) as client:
        assert client.appointments.ListAppointments(ListAppointmentsRequest(page_size=1)) is not None


def test_new_certificates_are_taken_up_while_everything_runs(guarded: Clinic, ca: Authority, own: Pair):
    before = guarded.state.processes
    assert ca.issue("process") == own, "in the same files"
    for service in SERVICES:
        assert shown_by(guarded, service, ca, own) == own.serial_number
    for index in range(4, 8):
        page = httpx.get(f"http://127.0.0.1:{guarded.port + index}/metrics").text
        remaining = re.search(r"^telemed_tls_certificate_remaining_seconds (\S+)$", page, re.MULTILINE)
        assert remaining
        assert 86_000 < float(remaining[1]) <= 86_400
    book_first(guarded, "Dermatology")
    assert guarded.state.processes == before, "nothing was started again"
