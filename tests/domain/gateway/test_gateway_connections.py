"""Who may stay connected, and who makes room."""

from dataclasses import dataclass, field

from gateway.connections import Connections


@dataclass(eq=False)
class Wire:
    """A connection that remembers whether it was ended."""

    ended: list[bool] = field(default_factory=list)

    def make_room(self) -> None:
        self.ended.append(True)


def test_an_address_has_so_many_connections_and_another_has_its_own():
    counted = Connections(most=10, per_address=2)
    first = Wire()
    assert [counted.admit(wire, "192.0.2.1") for wire in (first, Wire(), Wire())] == [True, True, False]
    assert counted.admit(Wire(), "192.0.2.2")
    counted.leave(first)
    assert counted.admit(Wire(), "192.0.2.1")


def test_all_addresses_of_one_subscriber_of_ipv6_are_one():
    counted = Connections(most=10, per_address=2)
    assert [counted.admit(Wire(), f"2001:db8:0:1::{last}") for last in range(3)] == [True, True, False]


def test_nobody_counts_addresses_where_the_limit_is_zero():
    counted = Connections(most=10, per_address=0)
    assert all(counted.admit(Wire(), "192.0.2.1") for _ in range(10))


def test_the_one_that_has_waited_longest_makes_room():
    counted = Connections(most=3, per_address=0)
    busy, early, late, new = wires = [Wire() for _ in range(4)]
    for wire in (busy, late, early):
        counted.admit(wire, "192.0.2.1")
    counted.works(busy)
    counted.waits(late)
    assert counted.admit(new, "192.0.2.1")
    assert [bool(wire.ended) for wire in wires] == [False, True, False, False]


def test_when_all_are_at_work_a_new_one_is_refused():
    counted = Connections(most=1, per_address=0)
    busy = Wire()
    counted.admit(busy, "192.0.2.1")
    counted.works(busy)
    assert not counted.admit(Wire(), "192.0.2.1")
    counted.waits(busy)
    assert counted.admit(Wire(), "192.0.2.1")


def test_who_leaves_twice_is_counted_once():
    counted = Connections(most=10, per_address=1)
    wire = Wire()
    counted.admit(wire, "192.0.2.1")
    counted.leave(wire)
    counted.leave(wire)
    assert counted.admit(Wire(), "192.0.2.1")
    assert not counted.admit(Wire(), "192.0.2.1")
    counted.waits(wire)
    counted.works(wire)
