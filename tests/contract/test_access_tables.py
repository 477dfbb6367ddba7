"""Every RPC says what it does with patient data: it stands in the table of accesses, or among those that touch none."""

from collections.abc import Mapping

import pytest
from google.protobuf.descriptor import Descriptor, ServiceDescriptor

import appointment_svc.api.audit
import doctor_svc.api.audit
import video_svc.api.audit
from chassis.accesses import Touch
from gateway.discovery import installed_services

TABLES: dict[str, tuple[Mapping[str, Touch], frozenset[str]]] = {
    f"telemed.{name}.v1.{name.title()}Service": (module.TOUCHES, module.FREE_OF_PATIENT_DATA)
    for name, module in (
        ("appointment", appointment_svc.api.audit),
        ("doctor", doctor_svc.api.audit),
        ("video", video_svc.api.audit),
    )
}
SERVICES = installed_services("telemed")


def has_field(message: Descriptor, path: str) -> bool:
    first, _, rest = path.partition(".")
    field = message.fields_by_name.get(first)
    return field is not None and (not rest or has_field(field.message_type, rest))


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.full_name)
def test_every_rpc_is_in_one_of_the_two(service: ServiceDescriptor):
    touches, free = TABLES[service.full_name]
    assert set(touches) | free == {f"{service.full_name}/{method.name}" for method in service.methods}
    assert not set(touches) & free


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.full_name)
def test_the_fields_that_name_object_and_patient_are_in_the_request(service: ServiceDescriptor):
    touches, _ = TABLES[service.full_name]
    for method in service.methods:
        touch = touches.get(f"{service.full_name}/{method.name}")
        for path in (touch.id_field, touch.patient_field) if touch is not None else ():
            assert not path or has_field(method.input_type, path), f"{method.name}: {path}"


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.full_name)
def test_whoever_asks_about_a_patient_leaves_that_patient_in_the_row(service: ServiceDescriptor):
    touches, _ = TABLES[service.full_name]
    for method in service.methods:
        if has_field(method.input_type, "patient_id"):
            assert touches[f"{service.full_name}/{method.name}"].patient_field == "patient_id", method.name
