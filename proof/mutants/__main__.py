"""`python -m proof.mutants PATCH MODULE`: applies a patch to this process, then is that service."""

import runpy
import sys
from importlib import import_module


def main() -> None:
    """Raises ImportError or AttributeError for a patch that there is not."""
    _, patch, module = sys.argv
    kind, _, name = patch.partition(".")
    getattr(import_module(f"proof.mutants.patches_{kind}"), name)()
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
