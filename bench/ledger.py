"""What the ledger holds of what callers were told: read from the database, whatever the services say."""

from collections.abc import Collection

import psycopg

from bench.running import Running

# An appointment without its claims is no booking; one that was called off since keeps its row and gives them back.
_KEPT = """
SELECT appointment_id::text FROM appointment
WHERE appointment_id = ANY (%s) AND (status NOT IN ('CONFIRMED', 'PENDING', 'HELD', 'IN_PROGRESS') OR EXISTS (
    SELECT FROM doctor_claim AS claim
    WHERE claim.doctor_id = appointment.doctor_id AND claim.appointment_id = appointment.appointment_id))
"""
_TWICE = """
SELECT count(*) FROM doctor_claim AS one JOIN doctor_claim AS other
  ON one.doctor_id = other.doctor_id AND one.appointment_id < other.appointment_id AND one.occupied && other.occupied
"""


async def missing(running: Running, acknowledged: Collection[str]) -> int:
    """How many of the appointments that callers were told of are not there. Raises RuntimeError for an overlap."""
    url = running.state.database_urls["appointment"]
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        cursor = await connection.execute(_KEPT, (list(acknowledged),))
        kept = {row[0] for row in await cursor.fetchall()}
        row = await (await connection.execute(_TWICE)).fetchone()
    if row is None or row[0]:
        raise RuntimeError(f"{row} pairs of bookings of one doctor overlap")
    return len(set(acknowledged) - kept)
