"""The console's configuration, from CONSOLE_* variables; `telemed up` sets them."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from stack.console.store import MOST_SPANS


class ConsoleSettings(BaseSettings):
    """Where the console listens, and which stack it shows. It has no way to listen elsewhere than on loopback."""

    model_config = SettingsConfigDict(env_prefix="CONSOLE_", extra="ignore", frozen=True)

    port: int = Field(ge=0, le=65535, description="The TCP port to listen on, on 127.0.0.1; 0 means any free one.")
    data: Path = Field(description="The data folder of the stack whose processes are shown.")
    receives: bool = Field(default=True, description="Whether the stack's traces are sent here, or somewhere else.")
    most_spans: int = Field(default=MOST_SPANS, ge=1, description="Spans kept in memory; the oldest go first.")
