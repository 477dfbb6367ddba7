"""Every public path, so that a change of one shows in a review. REGENERATE=1 writes the list anew."""

import os
from pathlib import Path

from gateway.discovery import installed_services
from gateway.routes import WHOLE_BODY, bindings_of

LIST = Path(__file__).with_name("routes.txt")


def test_the_public_paths_are_those_of_the_list():
    routes = sorted(
        f"{binding.name}  {binding.method.full_name}"
        for service in installed_services("telemed")
        for binding in bindings_of(service)
    )
    text = "\n".join(routes) + "\n"
    if os.environ.get("REGENERATE"):
        LIST.write_text(text)
    assert LIST.read_text() == text


# What a URL may say in words: ids, positions, versions, and what a doctor is looked for by. URLs end up in logs of
# proxies and histories of browsers, so nothing of a patient but an id that means nothing by itself.
IN_WORDS = {
    *("after_revision", "at_least_revision", "etag", "page_token", "request_id"),
    *("appointment_id", "doctor_id", "id", "override_id", "participant_id", "patient_id", "rule_id", "session_id"),
    *("language", "license_jurisdiction", "query", "specialty", "timezone"),
}


def test_no_url_has_room_for_what_is_said_of_a_patient():
    said = set()
    for service in installed_services("telemed"):
        for binding in bindings_of(service):
            in_path = {variable.field for variable in binding.template.variables}
            for field in binding.method.input_type.fields:
                in_url = field.name in in_path if binding.body == WHOLE_BODY else field.name != binding.body
                if in_url and field.type == field.TYPE_STRING:
                    said.add(field.name)
    assert said - IN_WORDS == set()
