"""`python -m gateway.openapi`: the API's document on standard output, without anything running."""

import sys

import orjson

from gateway.app import CONTRACTS
from gateway.discovery import installed_services
from gateway.openapi.document import document_of
from gateway.routes import bindings_of


def main() -> None:
    """Writes the document that the gateway serves at /openapi.json."""
    bindings = [binding for service in installed_services(CONTRACTS) for binding in bindings_of(service)]
    sys.stdout.buffer.write(orjson.dumps(document_of(bindings, CONTRACTS), option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main()
