"""The steps of every schema run from one on without a gap: two branches that took one number are found here."""

import pytest

from chassis.migrations import migrations_in
from stack.databases import SERVICES, migrations_of


@pytest.mark.parametrize("service", SERVICES)
def test_the_numbers_run_without_a_gap(service: str):
    assert migrations_in(migrations_of(service))
