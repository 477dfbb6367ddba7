"""Ids of the demo clinic: derived from names, so that every machine has the same ones."""

from uuid import NAMESPACE_DNS, uuid5

_CLINIC = uuid5(NAMESPACE_DNS, "demo-clinic.telemed.example")


def demo_id(*path: str | int) -> str:
    """The id of a thing of the demo clinic, by its kind and name: `demo_id("patient", 7)`."""
    return str(uuid5(_CLINIC, "/".join(map(str, path))))
