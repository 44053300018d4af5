"""The report: everything found, from a template alone and without a call, as values for page and files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median

from core.interview import coverage, cues, mistake_detector, rubric, text
from core.interview.coverage import Point
from core.interview.cues import Cues
from core.interview.drills import Drill, drill
from core.interview.model import Feedback, Interview, Met, Mistake, Outline, Try, Turn
from core.interview.resume_analyzer import terms

NON_JOINER = "\u200c"
DISCLAIMER = "Practice feedback, not a hiring assessment."
CUES_ONLY = "Cues from your wording, not a mark"
TARGETS = {"junior": 5.0, "mid": 6.0, "senior": 7.0}  # our choice, not calibrated; moves a marker, never a score
FEWEST_UNSURE, MOST_UNSURE = 7, 13  # anchors lit, of 20: where graders agree least with each other
CLOSING = ("E4", "E3", "D2", "E2", "S4")  # anchors that make a moment strong, strongest first


@dataclass(frozen=True)
class Page:
    """One question in the report. `score` is None where nobody scored it; `said` explains that state.

    `cues` and `points` are what code alone sees in the words of the answer; None and () where it has no words.
    """

    number: int
    turn: Turn
    score: float | None
    said: str
    lit: frozenset[str]
    cues: Cues | None
    points: tuple[Point, ...]


@dataclass(frozen=True)
class NextStep:
    """The one thing to practise: an anchor, its drill, and the question to try it on (counted from 1).

    Not `measured` means that nobody scored anything and only the wording points to it.
    """

    anchor: str
    drill: Drill
    number: int
    measured: bool = True


@dataclass(frozen=True)
class Report:
    card: rubric.Scorecard
    pages: tuple[Page, ...]
    strongest: Met | None
    priority: NextStep | None
    graders: tuple[str, ...]
    wording: Mapping[str, str]
    job_terms: Mapping[str, bool]


def build(interview: Interview) -> Report:
    measured = rubric.is_measured(interview)
    pages = tuple(_page(n, turn, measured) for n, turn in enumerate(interview.turns, start=1))
    scored = [p for p in pages if p.score is not None and p.turn.feedback]
    best = max(scored, key=lambda p: p.score or 0.0, default=None)
    return Report(
        card=rubric.scorecard(interview),
        pages=pages,
        strongest=_strongest(best.turn) if best else None,
        priority=_priority(pages) if measured else _priority_by_cues(pages),
        graders=tuple(
            dict.fromkeys(
                p.turn.feedback.origin.model for p in scored if p.turn.feedback and p.turn.feedback.origin.model
            )
        ),
        wording=_wording([turn.answer for turn in interview.turns if turn.answer]),
        job_terms=_job_terms(interview),
    )


def overall_line(card: rubric.Scorecard) -> str:
    """The overall result in words; never a number that nobody computed."""
    if card.overall is None and card.scored:
        return f"{card.scored} of {card.scored + card.unscored} answers scored, too few for an overall result"
    if card.overall is None:
        return "not scored"
    answers = "answer" if card.unscored == 1 else "answers"
    left_out = f", {card.unscored} {answers} not scored" if card.unscored else ""
    return f"{rubric.band(card.overall / 10)} ({card.overall} of 100{left_out})"


def origin_line(interview: Interview, report: Report) -> str:
    """Who measured this, in one sentence."""
    if not report.graders:
        return f"No AI has scored this interview. {interview.mode_reason}".strip()
    rulers = ", ".join(report.graders)
    warning = " More than one model graded, so compare answers with care." if len(report.graders) > 1 else ""
    return (
        f"Anchors found by {rulers}; quotes checked and scores computed by rubric {report.card.rubric}.{warning}"
    )


def practise_line(step: NextStep) -> str:
    return "One thing to practise" + ("" if step.measured else " (by your wording, not a mark)")


def is_unsure(turn: Turn) -> bool:
    """Is this an answer for which a second grader's opinion is worth a call?"""
    by_ai = turn.feedback is not None and turn.feedback.origin.by == "ai"
    return by_ai and FEWEST_UNSURE <= len(rubric.lit(turn)) <= MOST_UNSURE


def lit_by(turn: Turn, tried: Try) -> frozenset[str]:
    """Every anchor that another go at the question met; empty where nobody scored it."""
    return rubric.lit(replace(turn, answer=tried.answer, feedback=tried.feedback))


def newly_lit(turn: Turn, tried: Try) -> frozenset[str]:
    """What the other go shows that the first answer did not. The first answer keeps the score."""
    return lit_by(turn, tried) - rubric.lit(turn)


def lit_by_second(turn: Turn) -> frozenset[str]:
    """Every anchor that the second grader saw in the answer."""
    return rubric.lit(replace(turn, feedback=turn.second))


def by_quote(turn: Turn, feedback: Feedback) -> dict[str, list[str]]:
    """For each quote what it shows, in words: one sentence often meets several anchors."""
    meanings = rubric.anchors(turn.question.kind)
    found: dict[str, list[str]] = {}
    for met in feedback.met:
        found.setdefault(met.quote, []).append(meanings[met.anchor])
    return found


def mistake_name(mistake: Mistake) -> str:
    """What code alone saw is named as the cue that it is; it costs nothing."""
    return mistake_detector.NAMES[mistake.code] + (" (a cue)" if mistake.found_by == "code" else "")


def outline_for(interview: Interview, turn: Turn) -> Outline | None:
    """The outline that was written for this very answer, if there is one."""
    written = interview.narrative.outlines if interview.narrative else ()
    return next((o for o in written if o.question == turn.question.id), None)


def cue_parts(seen: Cues) -> dict[str, str]:
    """What the wording of one answer shows, in words."""
    timed = {"Time": f"{round(seen.seconds)} s"} if seen.seconds else {}
    if not seen.known:  # in another language only the length can be told
        return {"Words": str(seen.words), **timed}
    found = [part for part, is_there in seen.star.items() if is_there]
    parts = {
        "Words": str(seen.words),
        "Numbers": str(seen.numbers),
        "“I” and “we”": f"{seen.first_person} and {seen.we}",
        "Parts of a story": ", ".join(found) or "none found",
    }
    parts |= {"Hedges": str(seen.hedges)} if seen.hedges else {}
    parts |= {"“I would”": str(seen.hypotheticals)} if seen.hypotheticals else {}
    parts |= {"Fillers": str(seen.fillers)} if seen.fillers else {}
    return parts | timed


def label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def escape(written: str) -> str:
    """Text from people or models as plain Markdown text: no links, images, headings, HTML, maths or icons.

    Addresses and icon names are recognised after backslashes are gone, so an invisible character parts those.
    """
    bare = re.sub(r"([\\`*_{}\[\]<>()#+!|$~&])", r"\\\1", text.clean(written))
    bare = re.sub(r"(?m)^(\s*)([-=])", r"\1\\\2", bare)
    return re.sub(r"(?i)(@|:(?=\S)|www(?=\.)|https?(?=:))", rf"\1{NON_JOINER}", bare)


def _page(number: int, turn: Turn, measured: bool) -> Page:
    """`measured` says whether anybody scored anything in this interview; if not, no zero stands anywhere."""
    score = rubric.answer_score(turn) if measured else None
    is_words = bool(turn.answer) and not (turn.feedback and turn.feedback.origin.by == "gate")
    return Page(
        number=number,
        turn=turn,
        score=score,
        said=_said(turn, score, measured),
        lit=rubric.lit(turn),
        cues=cues.read(turn) if is_words else None,
        points=coverage.points(turn.question, turn.answer) if is_words else (),
    )


def _said(turn: Turn, score: float | None, measured: bool) -> str:
    if turn.state == "skipped":
        return "Skipped, counts 0" if measured else "Skipped"
    if turn.feedback and turn.feedback.origin.by == "gate":
        return "No answer, counts 0" if measured else "No answer"
    if turn.feedback is None:
        return "Not reached, left out of the score" if not turn.answer else "Waiting for feedback"
    return "Not scored" if score is None else rubric.band(score)


def _strongest(turn: Turn) -> Met | None:
    met = turn.feedback.met if turn.feedback else ()
    return min(met, key=lambda m: CLOSING.index(m.anchor) if m.anchor in CLOSING else len(CLOSING), default=None)


def _priority(pages: tuple[Page, ...]) -> NextStep | None:
    """What the scored answers lack most often, of what costs each of them most; to be tried on the weakest."""
    lacking = [
        (missing, page)
        for page in pages
        if page.score is not None
        and page.turn.state == "done"
        and (missing := next(iter(rubric.missing(page.lit)), None))
    ]
    if not lacking:
        return None
    anchor = Counter(missing for missing, _ in lacking).most_common(1)[0][0]
    weakest = min((page for missing, page in lacking if missing == anchor), key=lambda p: p.score or 0.0)
    return NextStep(anchor, drill(anchor, weakest.turn.question.kind), weakest.number)


def _priority_by_cues(pages: tuple[Page, ...]) -> NextStep | None:
    """What the wording of most answers gives no sign of, to be tried on the first of these."""
    lacking = [
        (anchor, page)
        for page in pages
        if page.cues and page.cues.known
        for anchor, seen in (
            ("E4", page.cues.numbers),
            ("E2", page.cues.first_person),
            ("S4", page.cues.star.get("result")),
        )
        if not seen
    ]
    if not lacking:
        return None
    anchor = Counter(anchor for anchor, _ in lacking).most_common(1)[0][0]
    first = next(page for missing, page in lacking if missing == anchor)
    return NextStep(anchor, drill(anchor, first.turn.question.kind), first.number, measured=False)


def _wording(answers: list[str]) -> dict[str, str]:
    """What the wording of the answers shows. Cues that anybody can count, never part of a score."""
    answers = [answer for answer in answers if text.is_english(answer)]  # the cues know no other language
    if not answers:
        return {}
    seen = [text.star_cues(answer) for answer in answers]
    counts = {
        "Numbers": sum(map(text.has_number, answers)),
        "Own actions": sum(cue["action"] for cue in seen),
        "A result": sum(cue["result"] for cue in seen),
    }
    length = round(median(len(text.words(answer)) for answer in answers))
    return {**{name: f"{n} of {len(answers)}" for name, n in counts.items()}, "Words, usually": str(length)}


def _job_terms(interview: Interview) -> dict[str, bool]:
    """The job description's terms and whether any answer used them. Shown, never scored."""
    said = " ".join(turn.answer for turn in interview.turns).casefold()
    return {term: term in said for term in terms(interview.setup.job, 12)} if interview.setup.job else {}
