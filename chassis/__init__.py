"""What every process needs and no business noun: clock, database, server, client, tokens, telemetry, health."""
