"""The statements and migrations of the doctor service."""

from pathlib import Path

from chassis.sql import Queries

MIGRATIONS = Path(__file__).with_name("migrations")
QUERIES = Queries(Path(__file__).with_name("queries.sql"))
PROFILES = Queries(Path(__file__).with_name("profiles.sql"))
SEARCH = Queries(Path(__file__).with_name("search.sql"))
HOURS = Queries(Path(__file__).with_name("hours.sql"))
INSIGHTS = Queries(Path(__file__).with_name("insights.sql"))
SCHEDULES = Queries(Path(__file__).with_name("schedules.sql"))
SUMMARIES = Queries(Path(__file__).with_name("summaries.sql"))
