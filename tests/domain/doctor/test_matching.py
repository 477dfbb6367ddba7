"""Scores, ties and reasons of matching, by hand calculation."""

import pytest
from doctor_builders import candidate

from doctor_svc.domain.matching import WEIGHTS, Components, Wish, has_specialty, rank, weighed_rating

CARDIOLOGY = Wish(specialty="cardiology")
ANY = Wish()
NO_HISTORY = Wish(specialty="cardiology", allow_history=False)


def order(candidates, wish=ANY):
    return [doctor.candidate.profile.doctor_id for doctor in rank(candidates, wish)]


def test_the_weights_make_one():
    assert WEIGHTS.continuity + WEIGHTS.specialty + WEIGHTS.availability + WEIGHTS.quality == pytest.approx(1)


@pytest.mark.parametrize(
    ("doctor", "wish", "score"),
    [
        # Rating 4.8 of 45 is (216 + 20) / 50 = 4.72, so Q = 0.8 · 0.944 + 0.2 = 0.9552.
        (candidate(visits=3, free=4, total=4, rating=4.8, ratings=45, years=20), CARDIOLOGY, 0.9955),
        # Nobody rated: 4.0, so Q = 0.64, and 0.5 + 0.25 + 0.064 even without one free slot.
        (candidate(visits=1), CARDIOLOGY, 0.8140),
        (candidate(visits=1, free=1, total=2), CARDIOLOGY, 0.8890),
        # 0.25 · 0.8 + 0.064
        (candidate(), ANY, 0.2640),
        # 0.25 + 0.15 · 0.5 + 0.1 · (0.64 + 0.1)
        (candidate(free=2, total=4, years=10), CARDIOLOGY, 0.3990),
        # Experience counts up to 20 years.
        (candidate(years=20), ANY, 0.2840),
        (candidate(years=45), ANY, 0.2840),
        # 0.15 / 3 = 0.05
        (candidate(free=1, total=3), ANY, 0.3140),
        # (0.25 + 0.15 + 0.064) / 0.5, the same for a known and a new doctor.
        (candidate(visits=9, free=4, total=4), NO_HISTORY, 0.9280),
        (candidate(visits=0, free=4, total=4), NO_HISTORY, 0.9280),
        # A year of 5.0 from ten thousand: (50000 + 20) / 10005 is 4.9995.
        (candidate(visits=1, free=1, total=1, rating=5, ratings=10_000, years=20), CARDIOLOGY, 1.0),
    ],
)
def test_a_score_is_the_weighted_sum_of_its_parts(doctor, wish, score):
    (ranked,) = rank([doctor], wish)
    assert ranked.score == score


def test_the_parts_are_told():
    (ranked,) = rank([candidate(visits=2, free=1, total=4, years=10)], CARDIOLOGY)
    assert ranked.components == Components(
        continuity=1.0, specialty=1.0, availability=0.25, quality=pytest.approx(0.74)
    )


@pytest.mark.parametrize(
    ("rating", "ratings", "weighed"), [(0, 0, 4.0), (5.0, 1, 25 / 6), (1.0, 1, 21 / 6), (5.0, 5, 4.5), (4.8, 45, 4.72)]
)
def test_a_rating_is_drawn_towards_the_prior_while_few_have_given_one(rating, ratings, weighed):
    assert weighed_rating(candidate(rating=rating, ratings=ratings).profile) == pytest.approx(weighed)


def test_a_known_doctor_with_any_free_time_and_fair_ratings_scores_over_four_fifths():
    for rating, ratings in ((0, 0), (3.0, 40), (4.0, 10), (5.0, 200)):
        (ranked,) = rank([candidate(visits=1, free=1, total=20, rating=rating, ratings=ratings)], CARDIOLOGY)
        assert ranked.score > 0.8


def test_the_patients_own_doctor_comes_before_a_better_stranger():
    own = candidate("own", visits=1, free=1, total=10, rating=3.0, ratings=50)
    star = candidate("star", free=10, total=10, rating=5.0, ratings=500, years=40)
    assert order([star, own], CARDIOLOGY) == ["own", "star"]
    assert order([star, own], NO_HISTORY) == ["star", "own"]


def test_a_required_specialty_filters_whatever_the_case_of_its_letters():
    doctors = [
        candidate("heart", specialty="CARDIOLOGY"),
        candidate("skin", specialty="Dermatology"),
        candidate("both", specialty="Internal medicine", sub_specialties=("Cardiology",)),
        candidate("near", specialty="Cardiology nursing"),
    ]
    assert order(doctors, Wish(specialty=" cardioLOGY ")) == ["both", "heart"]
    assert len(order(doctors, ANY)) == 4
    assert not has_specialty(doctors[1].profile, "cardiology")


class TestTies:
    """Each pair has one score; the second differs in one rule alone and comes first."""

    def test_more_visits_together_first(self):
        assert order([candidate("a", visits=1), candidate("b", visits=2)]) == ["b", "a"]

    def test_visits_together_break_no_tie_when_history_may_not_count(self):
        assert order([candidate("a", visits=1), candidate("b", visits=2)], NO_HISTORY) == ["a", "b"]

    def test_the_larger_free_share_first(self):
        # 0.15 / 25 = 0.006 = 0.1 · 0.2 · 6 / 20
        doctors = [candidate("a", free=0, total=25, years=6), candidate("b", free=1, total=25, years=0)]
        assert len({doctor.score for doctor in rank(doctors, ANY)}) == 1
        assert order(doctors) == ["b", "a"]

    def test_the_better_rating_first(self):
        # Five ratings of 4.125 weigh 4.0625, which is as good as one year more.
        doctors = [candidate("a", years=1), candidate("b", rating=4.125, ratings=5)]
        assert len({doctor.score for doctor in rank(doctors, ANY)}) == 1
        assert order(doctors) == ["b", "a"]

    def test_fewer_visits_that_day_first(self):
        assert order([candidate("a", booked=3), candidate("b", booked=2)]) == ["b", "a"]

    def test_the_id_decides_in_the_end(self):
        assert order([candidate("b"), candidate("a")]) == ["a", "b"]


class TestReasons:
    def told(self, doctor, wish=ANY):
        (ranked,) = rank([doctor], wish)
        return list(ranked.reasons)

    def test_they_come_in_order_and_from_the_same_numbers(self):
        doctor = candidate(visits=3, free=4, total=4, rating=4.8, ratings=45, years=12)
        assert self.told(doctor, Wish(specialty="cardiology", has_window=True)) == [
            "Previous patient - 3 consultation(s) with this doctor",
            "Specializes in cardiology",
            "Highly rated (4.8/5.0)",
            "12 years of experience",
            "4 free time(s) in the wished window",
        ]

    def test_a_doctor_with_nothing_to_say_has_none(self):
        assert self.told(candidate(free=4, total=4)) == []

    def test_the_specialty_is_spelled_as_the_patient_did(self):
        assert self.told(candidate(), Wish(specialty=" CardioLogy ")) == ["Specializes in CardioLogy"]

    @pytest.mark.parametrize(
        ("rating", "ratings", "told"),
        [(4.0, 1, ["Highly rated (4.0/5.0)"]), (3.99, 80, []), (4.96, 9, ["Highly rated (5.0/5.0)"]), (4.9, 0, [])],
    )
    def test_a_rating_is_told_from_four_on_when_somebody_gave_one(self, rating, ratings, told):
        assert self.told(candidate(rating=rating, ratings=ratings)) == told

    @pytest.mark.parametrize(("years", "told"), [(4, []), (5, ["5 years of experience"])])
    def test_experience_is_told_from_five_years_on(self, years, told):
        assert self.told(candidate(years=years)) == told

    def test_free_times_are_told_only_when_a_window_was_wished_and_has_some(self):
        assert self.told(candidate(free=0, total=4), Wish(has_window=True)) == []
        assert self.told(candidate(free=1, total=4), Wish(has_window=True)) == ["1 free time(s) in the wished window"]
        assert self.told(candidate(free=1, total=4), Wish(has_window=False)) == []

    def test_history_that_may_not_count_is_no_reason_but_the_doctor_is_still_known(self):
        (ranked,) = rank([candidate(visits=2)], NO_HISTORY)
        assert ranked.reasons == ("Specializes in cardiology",)
        assert ranked.is_preferred
        assert ranked.components.continuity == 0
