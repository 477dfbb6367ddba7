"""The whole clinic on one machine: embedded PostgreSQL, migrations, demo data, supervisor and the telemed command."""
