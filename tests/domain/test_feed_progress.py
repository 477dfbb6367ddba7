"""When a copy of a feed is good enough to answer from."""

import pytest

from chassis import progress as module
from chassis.progress import NotCaughtUpError, Progress


def test_a_copy_that_has_heard_nothing_is_not_good_enough():
    with pytest.raises(NotCaughtUpError):
        Progress().require_caught_up()


def test_an_empty_feed_is_caught_up_with_at_once():
    progress = Progress()
    progress.heard(0)
    progress.require_caught_up()


def test_a_copy_behind_the_feed_has_to_catch_up_once_and_may_lag_later():
    progress = Progress()
    progress.heard(10)
    progress.applied = 9
    with pytest.raises(NotCaughtUpError, match="1 changes behind"):
        progress.require_caught_up()
    progress.applied = 10
    progress.require_caught_up()
    progress.heard(99)
    progress.require_caught_up()
    assert progress.lag == 89


@pytest.mark.parametrize(("applied", "is_good"), [(0, False), (7, True)])
def test_an_unreachable_feed_is_passed_over_only_with_an_older_copy(
    monkeypatch: pytest.MonkeyPatch, applied: int, is_good: bool
):
    progress = Progress()
    progress.applied = applied
    later = module.time.monotonic() + 6
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    if is_good:
        progress.require_caught_up()
    else:
        with pytest.raises(NotCaughtUpError):
            progress.require_caught_up()


def test_the_lag_in_seconds_is_that_of_the_oldest_change_that_is_missing(monkeypatch: pytest.MonkeyPatch):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    progress = Progress()
    progress.heard(5)
    now[0] = 110.0
    progress.heard(8)
    now[0] = 112.0
    assert progress.lag_seconds == 12
    progress.applied = 5
    assert progress.lag_seconds == 2
    progress.applied = 8
    assert (progress.lag_seconds, progress.silence_seconds) == (0, 2)
