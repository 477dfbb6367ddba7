"""Every public path, so that a change of one shows in a review. REGENERATE=1 writes the list anew."""

import os
from pathlib import Path

from gateway.discovery import installed_services
from gateway.routes import bindings_of

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
