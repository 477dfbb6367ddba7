"""The console process: on loopback, for as long as the stack runs."""

import logging

import uvicorn

from stack.console.app import Clinic, Console
from stack.console.settings import ConsoleSettings
from stack.console.store import Store
from stack.plan import HOST

_GRACE_SECONDS = 1


def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    settings = ConsoleSettings()  # type: ignore[call-arg]  # the environment fills it
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    uvicorn.run(
        Console(Store(settings.most_spans), Clinic.on(settings.data), receives=settings.receives),
        host=HOST,
        port=settings.port,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


if __name__ == "__main__":
    main()
