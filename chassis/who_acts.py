"""Tells a transaction who acts and why, where that is out of the ordinary, for the events that it writes."""

from chassis.accesses import is_out_of_the_ordinary
from chassis.connection import Connection
from chassis.context import PurposeOfUse, caller_or_none


async def say_who_acts(connection: Connection) -> None:
    """Tells the transaction who acts for the caller and with what purpose, for the events that it may write.

    Where that is nobody and the usual one, which is nearly always, nothing is said.
    """
    caller = caller_or_none()
    if caller is None or not is_out_of_the_ordinary(caller):
        return
    purpose = caller.purpose if caller.purpose is PurposeOfUse.BTG else ""
    await connection.execute(
        "SELECT set_config('telemed.acted_by', %s, true), set_config('telemed.purpose', %s, true)",
        (caller.delegate, purpose),
    )
