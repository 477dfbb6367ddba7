"""SQL: queries, migrations, and row to domain."""
