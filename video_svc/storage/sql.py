"""Where this service's SQL lies: its statements by name, and the steps of its schema."""

from pathlib import Path

from chassis.sql import Queries

QUERIES = Queries(Path(__file__).with_name("queries.sql"))
MIGRATIONS = Path(__file__).parent / "migrations"
