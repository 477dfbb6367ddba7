"""Every RPC of every service says which roles it is open to; an RPC in no row would be closed to all."""

from collections.abc import Mapping

import pytest
from google.protobuf.descriptor import ServiceDescriptor

import appointment_svc.api.policy
import doctor_svc.api.policy
import video_svc.api.policy
from chassis.context import Role
from gateway.discovery import installed_services

POLICIES: dict[str, Mapping[str, frozenset[Role]]] = {
    "telemed.appointment.v1.AppointmentService": appointment_svc.api.policy.OPEN_TO,
    "telemed.doctor.v1.DoctorService": doctor_svc.api.policy.OPEN_TO,
    "telemed.video.v1.VideoService": video_svc.api.policy.OPEN_TO,
}


@pytest.mark.parametrize("service", installed_services("telemed"), ids=lambda service: service.full_name)
def test_every_rpc_has_a_row_and_every_row_an_rpc(service: ServiceDescriptor):
    expected = {f"{service.full_name}/{method.name}" for method in service.methods}
    assert set(POLICIES[service.full_name]) == expected


def test_administration_is_for_administrators():
    doctors = POLICIES["telemed.doctor.v1.DoctorService"]
    for rpc in ("CreateDoctor", "VerifyDoctor"):
        assert Role.PATIENT not in doctors[f"telemed.doctor.v1.DoctorService/{rpc}"]
        assert Role.DOCTOR not in doctors[f"telemed.doctor.v1.DoctorService/{rpc}"]
