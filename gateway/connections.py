"""Which connections may stay: so many in all and of one address, and who makes room when there is none."""

from collections import Counter, OrderedDict
from collections.abc import Hashable
from typing import Protocol

from gateway.limits.guard import network_of


class Connection(Hashable, Protocol):
    """What can be asked to go."""

    def make_room(self) -> None:
        """Ends the connection at once, without another word."""
        ...


class Connections:
    """Counts them; `per_address` 0 means that nobody looks at addresses, as behind a proxy that they all come through.

    A connection *waits* while its client has the next move: until a request is whole, and again after the answer. When
    there are `most`, the one that has waited longest goes for a new one, so that no number of slow clients keeps others
    out. Requests that are being answered are never ended for it.
    """

    def __init__(self, most: int, per_address: int) -> None:
        self._most = most
        self._per_address = per_address
        self._addresses: dict[Connection, str] = {}
        self._counts: Counter[str] = Counter()
        self._waiting: OrderedDict[Connection, None] = OrderedDict()

    def admit(self, connection: Connection, address: str) -> bool:
        """Takes a connection in, or says that it cannot stay."""
        network = network_of(address)
        if self._per_address and self._counts[network] >= self._per_address:
            return False
        if len(self._addresses) >= self._most and not self._find_room():
            return False
        self._addresses[connection] = network
        self._counts[network] += 1
        self._waiting[connection] = None
        return True

    def waits(self, connection: Connection) -> None:
        """The client has the next move."""
        if connection in self._addresses:
            self._waiting[connection] = None
            self._waiting.move_to_end(connection)

    def works(self, connection: Connection) -> None:
        """A request is whole and is being answered."""
        self._waiting.pop(connection, None)

    def leave(self, connection: Connection) -> None:
        """The connection is gone; said twice, it counts once."""
        self._waiting.pop(connection, None)
        network = self._addresses.pop(connection, None)
        if network is not None:
            self._counts[network] -= 1
            if not self._counts[network]:
                del self._counts[network]

    def _find_room(self) -> bool:
        if not self._waiting:
            return False
        longest = next(iter(self._waiting))
        self.leave(longest)
        longest.make_room()
        return True
