"""The report as JSON, for other programs. Every number says who measured it, and with which rubric."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from core.interview import mistake_detector, report, rubric
from core.interview.model import Feedback, Interview, Narrative, Turn
from core.interview.report import Page, Report

VERSION = "greenroom-report-1"
Measure = Literal["ai", "self", "code", "setting"]


def as_json(interview: Interview) -> str:
    """The whole report. A number is {"value", "origin", "rubric"}; a score that nobody measured is null.

    `origin` is "ai" for scores that code computed from anchors which a model found, "self" for the candidate's
    own rating, "code" for what is counted, and "setting" for what was chosen.
    """
    found = report.build(interview)
    setup = interview.setup
    told = {
        "format": VERSION,
        "about": report.DISCLAIMER,
        "role": setup.role,
        "level": setup.level,
        "style": setup.style,
        "mode": interview.mode,
        "mode_reason": interview.mode_reason,
        "mode_changes": [{"at": _time(d.at), "to": d.to, "reason": d.reason} for d in interview.downgrades],
        "begun": _time(interview.created_at),
        "finished": _time(interview.finished_at),
        "graders": list(found.graders),
        "calls": {
            "interview": _number(interview.spent, "code"),
            "on_request": _number(interview.on_request, "code"),
        },
        "overall": _overall(interview, found),
        "strongest": {"anchor": found.strongest.anchor, "quote": found.strongest.quote}
        if found.strongest
        else None,
        "priority": _priority(found),
        "narrative": _narrative(interview.narrative),
        "job_terms": dict(found.job_terms),
        "questions": [_page(page) for page in found.pages],
    }
    return json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _number(value: float | None, origin: Measure) -> dict[str, Any] | None:
    """Counts and settings have no rubric; scores carry the version of the one that computed them."""
    ruled = rubric.RULES.version if origin in ("ai", "self") else None
    return None if value is None else {"value": value, "origin": origin, "rubric": ruled}


def _overall(interview: Interview, found: Report) -> dict[str, Any]:
    card = found.card
    return {
        "score_of_100": _number(card.overall, "ai"),
        "band": None if card.overall is None else rubric.band(card.overall / 10),
        "in_words": report.overall_line(card),
        "target_of_10": _number(report.TARGETS[interview.setup.level], "setting"),
        "competencies": {
            name: {"score_of_10": _number(score, "ai"), "band": rubric.band(score)}
            for name, score in card.competencies.items()
        },
        "answers_scored": _number(card.scored, "code"),
        "answers_not_scored": _number(card.unscored, "code"),
    }


def _priority(found: Report) -> dict[str, Any] | None:
    step = found.priority
    if step is None:
        return None
    question = found.pages[step.number - 1].turn.question.id
    told = {
        "by": "ai" if step.measured else "wording",
        "anchor": step.anchor,
        "advice": step.drill.advice,
        "drill": step.drill.exercise,
    }
    return {**told, "question": question}


def _narrative(told: Narrative | None) -> dict[str, Any] | None:
    if told is None:
        return None
    return {
        "model": told.model,
        "summary": told.summary,
        "strengths": list(told.strengths),
        "priorities": [{"anchor": p.anchor, "why": p.why, "drill": p.drill} for p in told.priorities],
        "outlines": {o.question: o.text for o in told.outlines},
    }


def _page(page: Page) -> dict[str, Any]:
    turn = page.turn
    question = turn.question
    by_nobody = turn.state == "skipped" or (turn.feedback is not None and turn.feedback.origin.by == "gate")
    return {
        "id": question.id,
        "kind": question.kind,
        "competency": question.competency,
        "question": question.text,
        "state": turn.state,
        "in_words": page.said,
        "answer": turn.answer,
        "asked": _time(turn.asked_at),
        "answered": _time(turn.answered_at),
        "spoken": turn.spoken,
        "score_of_10": _number(page.score, "code" if by_nobody else "ai"),
        "anchors": _anchors(turn, page.lit) if turn.feedback and turn.feedback.scored else None,
        "feedback": _feedback(turn.feedback),
        "self_rating": _rating(turn),
        "second_opinion": _second(turn),
        "tries": [_try(turn, n) for n in range(len(turn.tries))],
        "wording": _wording(page),
        "key_points": {point.text: point.touched for point in page.points},
        "outline": question.outline,
    }


def _anchors(turn: Turn, lit: Iterable[str]) -> dict[str, bool]:
    held = frozenset(lit)
    return {anchor: anchor in held for anchor in rubric.anchors(turn.question.kind)}


def _feedback(feedback: Feedback | None) -> dict[str, Any] | None:
    if feedback is None:
        return None
    return {
        "by": feedback.origin.by,
        "model": feedback.origin.model or None,
        "rubric": feedback.origin.rubric or None,
        "reaction": feedback.reaction,
        "follow_up": feedback.follow_up,
        "note": feedback.note,
        "left_out": list(feedback.left_out),
        "quotes": {met.anchor: met.quote for met in feedback.met},
        "mistakes": [
            {
                "code": m.code,
                "name": mistake_detector.NAMES[m.code],
                "quote": m.quote,
                "fix": m.fix,
                "by": m.found_by,
            }
            for m in feedback.mistakes
        ],
    }


def _rating(turn: Turn) -> dict[str, Any] | None:
    if turn.self_met is None:
        return None
    return {
        "anchors": list(turn.self_met),
        "met": _number(len(turn.self_met), "self"),
        "score_of_10": _number(rubric.self_score(turn), "self"),
    }


def _second(turn: Turn) -> dict[str, Any] | None:
    if turn.second is None:
        return None
    lit = report.lit_by_second(turn) if turn.second.scored else None
    return {**(_feedback(turn.second) or {}), "anchors": None if lit is None else _anchors(turn, lit)}


def _try(turn: Turn, number: int) -> dict[str, Any]:
    tried = turn.tries[number]
    is_scored = tried.feedback is not None and tried.feedback.scored
    return {
        "at": _time(tried.at),
        "answer": tried.answer,
        "feedback": _feedback(tried.feedback),
        "anchors": _anchors(turn, report.lit_by(turn, tried)) if is_scored else None,
        "newly_lit": sorted(report.newly_lit(turn, tried)) if is_scored else None,
    }


def _wording(page: Page) -> Mapping[str, Any] | None:
    """Counts that the cues cannot know in the answer's language are null."""
    seen = page.cues
    if seen is None:
        return None
    counts = {
        "numbers": seen.numbers,
        "first_person": seen.first_person,
        "we": seen.we,
        "hedges": seen.hedges,
        "hypotheticals": seen.hypotheticals,
        "fillers": seen.fillers if page.turn.spoken else None,
    }
    return {
        "about": report.CUES_ONLY,
        "words": _number(seen.words, "code"),
        "seconds": _number(seen.seconds, "code"),
        **{name: _number(count if seen.known else None, "code") for name, count in counts.items()},
        "story": dict(seen.star) if seen.known else None,
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
