"""Anchors -> levels -> scores. Pure, and the only place where a number is made.

A grader names anchors and quotes; it never gives a number. An anchor counts only when its quote stands in the
answer and passes the anchor's own check. The formulas are those of the rubric table below: five dimensions of
equal weight with four anchors each, an answer's score being the share of anchors met, times ten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import mean

from core.interview import text
from core.interview.model import Feedback, Interview, Kind, Met, Mistake, Turn

VERSION = "2026-11"
DIMENSIONS = {"R": "Relevance", "S": "Structure", "E": "Evidence", "D": "Depth", "C": "Clarity"}
ANCHORS_EACH = 4
QUOTED = frozenset(f"{d}{n}" for d in "RSED" for n in range(1, ANCHORS_EACH + 1))
SHORTEST_CLEAR = 25  # words below which clarity is not credited
SHORTEST_QUOTE = 2  # words
LENGTHS: Mapping[Kind, tuple[int, int]] = {
    "behavioural": (40, 320),
    "situational": (25, 320),
    "technical": (25, 320),
    "motivation": (20, 200),
}
CLARITY_LOST_TO = {"vague": "C1", "contradiction": "C2", "rambling": "C3", "off_topic": "C3"}
OFF_TOPIC_CAP = 2.0
ENOUGH_SCORED = 0.6
BANDS = ((8.0, "Strong"), (6.0, "Good"), (4.0, "Developing"), (0.0, "Not yet"))

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

    `scored` and `unscored` count answers.
    """

    overall: int | None
    competencies: Mapping[str, float]
    scored: int
    unscored: int


def anchors(kind: Kind) -> dict[str, str]:
    """All twenty anchors in order, in words, for this kind of question."""
    specific = _EXPLANATION if kind in ("technical", "situational") else _STORY
    merged = {**_COMMON, **specific}
    return {f"{d}{n}": merged[f"{d}{n}"] for d in DIMENSIONS for n in range(1, ANCHORS_EACH + 1)}


def verified(met: Iterable[Met], answer: str) -> tuple[Met, ...]:
    """The anchors that hold: quote found in the answer, own check passed, each anchor once."""
    whole = text.folded(answer)
    held: dict[str, Met] = {}
    for one in met:
        if one.anchor in QUOTED and text.holds(whole, one.quote) and _own_check(one, answer):
            held.setdefault(one.anchor, one)
    return tuple(sorted(held.values(), key=lambda m: m.anchor))


def clarity(answer: str, kind: Kind, mistakes: Iterable[Mistake]) -> frozenset[str]:
    """The clarity anchors, which code decides alone: none is claimed, each is lost to a verified mistake."""
    length = len(text.words(text.unrepeated(text.plain(answer))))
    least, most = LENGTHS[kind]
    held = {"C1", "C2", "C3"} if length >= SHORTEST_CLEAR else set()
    held -= {CLARITY_LOST_TO[m.code] for m in mistakes if m.code in CLARITY_LOST_TO}
    return frozenset(held | ({"C4"} if least <= length <= most else set()))


def lit(turn: Turn) -> frozenset[str]:
    """Every anchor that this turn's answer met."""
    if turn.feedback is None or not turn.feedback.scored or not turn.answer or turn.feedback.origin.by == "gate":
        return frozenset()
    named = {m.anchor for m in turn.feedback.met}
    return frozenset(named) | clarity(turn.answer, turn.question.kind, turn.feedback.mistakes)


def levels(held: frozenset[str]) -> dict[str, int]:
    """1 to 5 per dimension: one more than the anchors met."""
    return {d: 1 + sum(a.startswith(d) for a in held) for d in DIMENSIONS}


def answer_score(turn: Turn) -> float | None:
    """0 to 10, or None where nobody scored the answer. A skipped question and a non-answer score 0."""
    if turn.state == "skipped":
        return 0.0
    feedback: Feedback | None = turn.feedback
    if feedback is None or not feedback.scored:
        return None
    level = levels(lit(turn))
    score = 10 * mean((n - 1) / ANCHORS_EACH for n in level.values())
    return round(min(score, OFF_TOPIC_CAP) if level["R"] == 1 else score, 1)


def scorecard(interview: Interview) -> Scorecard:
    """Competencies are means of their answers; overall is the mean of competencies, times ten."""
    by_competency: dict[str, list[float]] = {}
    scored = 0
    for turn in interview.turns:
        score = answer_score(turn)
        if score is not None:
            scored += turn.state != "skipped"
            by_competency.setdefault(turn.question.competency, []).append(score)
    due = sum(turn.state != "skipped" for turn in interview.turns)
    answered = sum(bool(turn.answer) for turn in interview.turns)
    if not is_measured(interview) or scored < ENOUGH_SCORED * due:
        return Scorecard(None, {}, scored if is_measured(interview) else 0, answered - scored)
    means = {c: mean(scores) for c, scores in by_competency.items()}
    overall = round(10 * mean(means.values()))
    return Scorecard(overall, {c: round(m, 1) for c, m in means.items()}, scored, answered - scored)


def is_measured(interview: Interview) -> bool:
    """Has a grader scored anything? Where none has, a skipped question is no zero but simply not there."""
    return any(t.feedback is not None and t.feedback.origin.by == "ai" for t in interview.turns)


def band(score: float) -> str:
    """The word for a score of 0 to 10."""
    return next(name for least, name in BANDS if score >= least)


def first_missing(held: frozenset[str]) -> str | None:
    """The anchor whose absence costs most: evidence first, then own part, closing, reason, difficulty."""
    return next((a for a in ("E4", "E2", "S4", "D2", "D3") if a not in held), None)


def _own_check(met: Met, answer: str) -> bool:
    """A lone word shows nothing, unless it is the number that E4 asks for.

    Number words and the first person are known in English only; elsewhere the quote has to be enough.
    """
    quote = text.plain(met.quote)
    if met.anchor == "E4":
        return text.has_number(quote) or not text.is_english(answer)
    if len(text.words(quote)) < SHORTEST_QUOTE:
        return False
    if met.anchor == "E2":
        return text.has_first_person(quote) or not text.is_english(answer)
    return True
