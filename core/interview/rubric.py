"""Anchors -> levels -> scores. Pure, and the only place where a number is made.

A grader names anchors and quotes; it never gives a number. An anchor counts only when its quote stands in the
answer, outside of what tries to instruct the grader, and passes the anchor's own check. Five dimensions have four
anchors each; an answer's score is the weighted share of anchors met, times ten. What is stored are the anchors, so
other `Rules` score old interviews anew without asking anybody.

Decided where it was open: a skipped question is a zero in the mean, but it is not a scored one, so whoever skips
too much gets no overall result. Only behavioural questions ask for a story's structure; situational and motivation
questions ask for a position with its reasons. Only technical questions ask for technical depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean

from core.interview import injections, text
from core.interview.injections import Span
from core.interview.model import Feedback, Interview, Kind, Met, Mistake, Turn

VERSION = "2026-11-24"  # of the anchors and their checks: what a grader was asked
DIMENSIONS = {"R": "Relevance", "S": "Structure", "E": "Evidence", "D": "Depth", "C": "Clarity"}
ANCHORS_EACH = 4
QUOTED = frozenset(f"{d}{n}" for d in "RSED" for n in range(1, ANCHORS_EACH + 1))
BY_VALUE = (
    *("E4", "E2", "S4", "D2", "D3", "R2", "E3", "R3", "S3", "E1", "S2", "S1"),
    *("D1", "D4", "R4", "R1", "C4", "C1", "C3", "C2"),
)  # what an answer gains most from first; our choice
PROBED = 5  # so many of them, from the first, have a probe with every question
SHORTEST_CLEAR = 25  # words below which clarity is not credited
SHORTEST_QUOTE, LONGEST_QUOTE = 15, 200  # characters
FEWEST_QUOTED = 4  # words, which may make a quote of fewer characters
LENGTHS: Mapping[Kind, tuple[int, int]] = {
    "behavioural": (40, 320),
    "situational": (25, 320),
    "technical": (25, 320),
    "motivation": (20, 200),
}
CLARITY_LOST_TO = {"vague": "C1", "contradiction": "C2", "rambling": "C3", "off_topic": "C3"}


@dataclass(frozen=True)
class Rules:
    """How anchors become numbers. `weights` are relative; `enough` is the share of questions to be scored.

    An answer that meets no relevance anchor gets at most `off_topic_cap`. `bands` go down to 0.
    """

    weights: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(DIMENSIONS, 1.0))
    off_topic_cap: float = 2.0
    bands: tuple[tuple[float, str], ...] = ((8.0, "Strong"), (6.0, "Good"), (4.0, "Developing"), (0.0, "Not yet"))
    enough: float = 0.6
    version: str = "2026-11-24"


RULES = Rules()

_COMMON = {
    "R1": "stays on the question's topic",
    "R2": "answers what was asked",
    "R3": "answers every part of it",
    "R4": "ties it to the role or the competency",
    "E1": "names one concrete detail",
    "E2": "sets own contribution apart from the team's",
    "E3": "describes an outcome",
    "E4": "measures the outcome or makes it checkable",
    "C1": "understandable at one reading",
    "C2": "does not contradict itself",
    "C3": "stays on point",
    "C4": "length fits the question",
}
_STORY = {
    "S1": "sets a specific situation",
    "S2": "states own task or goal",
    "S3": "gives actions in order",
    "S4": "closes with the result",
    "D1": "shows a choice or judgement",
    "D2": "gives the reason or an alternative",
    "D3": "says what was hard and how it was handled",
    "D4": "carries a lesson forward",
}
_EXPLANATION = {
    "S1": "states a position or definition first",
    "S2": "gives the steps of the reasoning",
    "S3": "uses an example or case",
    "S4": "closes with the trade-off or a summary",
    "D1": "gets the core idea right",
    "D2": "explains the mechanism: why or how",
    "D3": "names a limit, edge case or cost",
    "D4": "compares an alternative or a failure seen",
}


@dataclass(frozen=True)
class Scorecard:
    """`overall` is 0 to 100, None where too few questions were scored; then no competency is told either.

    `scored` and `unscored` count answers; `rubric` is the version of the rules that these numbers come from.
    """

    overall: int | None
    competencies: Mapping[str, float]
    scored: int
    unscored: int
    rubric: str


def anchors(kind: Kind) -> dict[str, str]:
    """All twenty anchors in order, in words, for this kind of question."""
    structure = _STORY if kind == "behavioural" else _EXPLANATION
    depth = _EXPLANATION if kind == "technical" else _STORY
    specific = {
        **{a: structure[a] for a in structure if a[0] == "S"},
        **{a: depth[a] for a in depth if a[0] == "D"},
    }
    merged = {**_COMMON, **specific}
    return {f"{d}{n}": merged[f"{d}{n}"] for d in DIMENSIONS for n in range(1, ANCHORS_EACH + 1)}


def verified(met: Iterable[Met], answer: str, spans: Sequence[Span] = ()) -> tuple[Met, ...]:
    """The anchors that hold: quote found in the answer and outside of `spans`, own check passed, each once."""
    kept = injections.without(answer, spans)
    places = text.folded(answer), text.folded(kept)
    in_english = text.is_english(kept)
    held: dict[str, Met] = {}
    for one in met:
        stands = all(text.holds(place, one.quote) for place in places)
        if one.anchor in QUOTED and stands and _own_check(one, in_english):
            held.setdefault(one.anchor, one)
    return tuple(sorted(held.values(), key=lambda m: m.anchor))


def clarity(answer: str, kind: Kind, mistakes: Iterable[Mistake]) -> frozenset[str]:
    """The clarity anchors, which code decides alone: none is claimed, each is lost to a shown mistake."""
    length = len(text.words(text.unrepeated(answer)))
    least, most = LENGTHS[kind]
    held = {"C1", "C2", "C3"} if length >= SHORTEST_CLEAR else set()
    held -= {CLARITY_LOST_TO[m.code] for m in mistakes if m.code in CLARITY_LOST_TO and m.found_by == "ai"}
    return frozenset(held | ({"C4"} if least <= length <= most else set()))


def lit(turn: Turn) -> frozenset[str]:
    """Every anchor that this turn's answer met."""
    if turn.feedback is None or not turn.feedback.scored or not turn.answer or turn.feedback.origin.by == "gate":
        return frozenset()
    named = {m.anchor for m in turn.feedback.met}
    own = injections.without(turn.answer, injections.passages(turn.answer, turn.feedback.left_out))
    return frozenset(named) | clarity(own, turn.question.kind, turn.feedback.mistakes)


def levels(held: frozenset[str]) -> dict[str, int]:
    """1 to 5 per dimension: one more than the anchors met."""
    return {d: 1 + sum(a.startswith(d) for a in held) for d in DIMENSIONS}


def answer_score(turn: Turn, rules: Rules = RULES) -> float | None:
    """0 to 10, or None where nobody scored the answer. A skipped question and a non-answer score 0."""
    score = _score(turn, rules)
    return None if score is None else round(score, 1)


def self_score(turn: Turn, rules: Rules = RULES) -> float | None:
    """0 to 10 by the anchors that the candidate thinks are met; None where not rated. Part of no other score."""
    return None if turn.self_met is None else round(_weighed(frozenset(turn.self_met), rules), 1)


def scorecard(interview: Interview, rules: Rules = RULES) -> Scorecard:
    """Competencies are means of their answers; overall is the mean of competencies, times ten."""
    by_competency: dict[str, list[float]] = {}
    scored = 0
    for turn in interview.turns:
        score = _score(turn, rules)
        if score is not None:
            scored += turn.state != "skipped"
            by_competency.setdefault(turn.question.competency, []).append(score)
    answered = sum(bool(turn.answer) for turn in interview.turns)
    measured = is_measured(interview)
    if not measured or scored < rules.enough * len(interview.turns):
        return Scorecard(None, {}, scored if measured else 0, answered - scored, rules.version)
    means = {c: mean(scores) for c, scores in by_competency.items()}
    overall = round(10 * mean(means.values()))
    told = {c: round(m, 1) for c, m in means.items()}
    return Scorecard(overall, told, scored, answered - scored, rules.version)


def is_measured(interview: Interview) -> bool:
    """Has a grader scored anything? Where none has, a skipped question is no zero but simply not there."""
    return any(t.feedback is not None and t.feedback.origin.by == "ai" for t in interview.turns)


def band(score: float, rules: Rules = RULES) -> str:
    """The word for a score of 0 to 10."""
    return next(name for least, name in rules.bands if score >= least)


def missing(held: frozenset[str]) -> tuple[str, ...]:
    """The anchors not met, the one whose absence costs most first."""
    return tuple(anchor for anchor in BY_VALUE if anchor not in held)


def first_missing(held: frozenset[str]) -> str | None:
    """The costliest missing anchor of those that every question has a probe for; None if it has them all."""
    return next((anchor for anchor in BY_VALUE[:PROBED] if anchor not in held), None)


def _score(turn: Turn, rules: Rules) -> float | None:
    if turn.state == "skipped":
        return 0.0
    feedback: Feedback | None = turn.feedback
    return None if feedback is None or not feedback.scored else _weighed(lit(turn), rules)


def _weighed(held: frozenset[str], rules: Rules) -> float:
    """0 to 10: the weighted share of anchors met, capped where none shows relevance."""
    level = levels(held)
    whole = sum(rules.weights.values())
    score = 10 * sum(rules.weights[d] * (n - 1) / ANCHORS_EACH for d, n in level.items()) / whole
    return min(score, rules.off_topic_cap) if level["R"] == 1 else score


def _own_check(met: Met, in_english: bool) -> bool:
    """A few words show nothing, unless they hold the number that E4 asks for; a whole answer shows too much.

    Number words and the first person are known in English only; elsewhere the quote has to be enough.
    """
    quote = text.plain(met.quote)
    said = text.words(quote)
    if not said or len(quote) > LONGEST_QUOTE:
        return False
    if met.anchor == "E4" and (in_english or text.has_number(quote)):
        return text.has_number(quote)
    if len(quote) < SHORTEST_QUOTE and len(said) < FEWEST_QUOTED:
        return False
    return met.anchor != "E2" or not in_english or text.has_first_person(quote)
