"""Some hundred generated requests, the same each time, are answered as the document says. `make fuzz` asks more."""

from tests.fuzz.cast import fuzzed_clinic
from tests.fuzz.run import Fuzz


def test_every_answer_to_generated_requests_is_as_the_document_says():
    with fuzzed_clinic() as cast:
        fuzz = Fuzz(cast, number=1)
        asked = list(fuzz.run(cases_each=1))
    assert len(asked) > 50
    assert fuzz.report.cases > 300
    assert fuzz.report.failures == {}
