"""Generated requests of one operation; those that should be good name things that exist, as often as not."""

from typing import Any

from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode

from tests.fuzz.cast import Pool


@st.composite
def requests_of(draw: st.DrawFn, operation: APIOperation, mode: GenerationMode, pool: Pool) -> Case:
    """A request of an operation."""
    case = draw(operation.as_strategy(generation_mode=mode))
    if mode is GenerationMode.POSITIVE:
        for place in (case.path_parameters, case.query, case.body):
            _put_known(draw, place, pool)
    return case


def _put_known(draw: st.DrawFn, place: Any, pool: Pool) -> None:
    if isinstance(place, list):
        for inner in place:
            _put_known(draw, inner, pool)
    if not isinstance(place, dict):
        return
    for name, value in place.items():
        if name in pool and draw(st.integers(0, 9)):
            place[name] = _known(draw, pool, name)
        else:
            _put_known(draw, value, pool)


def _known(draw: st.DrawFn, pool: Pool, name: str) -> Any:
    return draw(st.sampled_from(pool[name]))
