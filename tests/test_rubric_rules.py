"""Other rules score the same anchors anew, and nothing else moves a score."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.interview import rubric
from core.interview.model import Turn
from core.interview.rubric import RULES, Rules, answer_score, scorecard, verified
from tests.answers import STORY
from tests.claims import HELD, MORE, TURNS
from tests.interviews import about, interview, turn

WEIGHTS = st.fixed_dictionaries({d: st.floats(0.01, 100) for d in rubric.DIMENSIONS})


@given(TURNS, WEIGHTS)
def test_under_any_weights_a_score_stays_in_bounds_and_grows_with_anchors(
    scored: Turn, weights: dict[str, float]
) -> None:
    rules = Rules(weights=weights, version="other")
    feedback = scored.feedback
    assert feedback is not None
    more = replace(scored, feedback=replace(feedback, met=verified([*feedback.met, *HELD], STORY)))
    before, after = answer_score(scored, rules), answer_score(more, rules)
    assert before is not None
    assert after is not None
    assert 0 <= before <= after <= 10


@given(st.lists(TURNS, min_size=1, max_size=6), WEIGHTS)
def test_a_stored_interview_is_scored_anew_under_other_rules(turns: list[Turn], weights: dict[str, float]) -> None:
    stored = interview(*turns)
    rules = Rules(weights=weights, version="other")
    card = scorecard(stored, rules)
    assert card.rubric == "other"
    assert card == scorecard(stored, Rules(weights={d: 3 * w for d, w in weights.items()}, version="other"))
    assert scorecard(stored) == scorecard(stored, RULES)
    assert scorecard(stored).rubric == RULES.version


def test_other_weights_and_bands_give_other_numbers() -> None:
    scored = turn(STORY, HELD)  # R=3, S=2, E=1, D=2, C=4
    evidence = Rules(weights={**RULES.weights, "E": 6.0}, version="evidence")
    assert answer_score(scored) == 6.0
    assert answer_score(scored, evidence) == 4.2  # 10 * (0.75 + 0.5 + 6 * 0.25 + 0.5 + 1) / 10, to one place
    assert scorecard(interview(scored), evidence).overall == 42
    assert rubric.band(6.0, Rules(bands=((6.0, "Enough"), (0.0, "Not enough")))) == "Enough"


def test_an_overall_is_made_of_what_was_measured_and_not_of_what_was_rounded() -> None:
    rules = Rules(weights={**RULES.weights, "C": 5.0}, version="clarity")  # 7.78 and 8.06 have the mean 7.92
    pair = [about(turn(STORY, HELD), "teamwork"), about(turn(STORY, MORE), "teamwork", 2)]
    assert [answer_score(t, rules) for t in pair] == [7.8, 8.1]
    assert scorecard(interview(*pair), rules).overall == 79


# Self-rating


@given(st.frozensets(st.sampled_from(list(rubric.anchors("technical")))))
def test_a_self_rating_is_scored_by_the_same_rules_and_moves_nothing(held: frozenset[str]) -> None:
    rated = replace(turn(STORY, HELD), self_met=tuple(held))
    found = rubric.self_score(rated)
    assert found is not None
    assert 0 <= found <= 10
    assert found == (len(held) / 2 if any(a[0] == "R" for a in held) else min(2.0, len(held) / 2))
    assert answer_score(rated) == answer_score(turn(STORY, HELD))
    assert scorecard(interview(rated)) == scorecard(interview(turn(STORY, HELD)))
    assert rubric.self_score(turn(STORY, HELD)) is None
