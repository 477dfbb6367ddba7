"""Every RPC of every service says which roles it is open to; an RPC in no row would be closed to all."""

import pytest
from google.protobuf.descriptor import ServiceDescriptor

import appointment_svc.api.policy
import doctor_svc.api.policy
import video_svc.api.policy
from chassis.context import Role
from chassis.policy import Others, Policy, Scope
from gateway.discovery import installed_services
from tools.policy_page import PAGE, page_with_tables

POLICIES: dict[str, Policy] = {
    "telemed.appointment.v1.AppointmentService": appointment_svc.api.policy.POLICY,
    "telemed.doctor.v1.DoctorService": doctor_svc.api.policy.POLICY,
    "telemed.video.v1.VideoService": video_svc.api.policy.POLICY,
}


@pytest.mark.parametrize("service", installed_services("telemed"), ids=lambda service: service.full_name)
def test_every_rpc_has_a_row_and_every_row_an_rpc(service: ServiceDescriptor):
    expected = {f"{service.full_name}/{method.name}" for method in service.methods}
    assert set(POLICIES[service.full_name]) == expected


def test_the_page_shows_the_tables_of_the_code():
    assert PAGE.read_text() == page_with_tables(PAGE.read_text()), "make gen writes them"


def test_the_glass_is_for_readings():
    through = {method for policy in POLICIES.values() for method, rule in policy.items() if rule.break_glass}
    assert through == {
        "telemed.appointment.v1.AppointmentService/GetAppointment",
        "telemed.appointment.v1.AppointmentService/ListAppointments",
        "telemed.appointment.v1.AppointmentService/ListEvents",
        "telemed.video.v1.VideoService/GetSession",
        "telemed.video.v1.VideoService/GetSessionStats",
        "telemed.video.v1.VideoService/ListSessions",
    }


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_a_row_says_what_becomes_of_others_where_somebody_has_but_their_own(policy: Policy):
    for method, rule in policy.items():
        scopes = {rule.scope(role) for role in Role}
        assert (Scope.OWN in scopes) == (rule.others is not Others.NOBODYS), method


def test_administration_is_for_administrators():
    doctors = POLICIES["telemed.doctor.v1.DoctorService"]
    for rpc in ("CreateDoctor", "VerifyDoctor"):
        assert doctors[f"telemed.doctor.v1.DoctorService/{rpc}"].roles == {Role.ADMIN}
