"""The report: everything found, from a template alone, as a value for the page and as Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from core.interview import mistake_detector, rubric, text
from core.interview.model import Interview, Met, Turn
from core.interview.resume_analyzer import terms

NON_JOINER = "\u200c"
DISCLAIMER = "Practice feedback, not a hiring assessment."
TARGETS = {"junior": 5.0, "mid": 6.0, "senior": 7.0}  # our choice, not calibrated; moves a marker, never a score
NEXT_STEP = {
    "E4": "Say how you know it worked: a number, a before and after, or something one could check.",
    "E2": "Say what you did yourself, in the first person, before you speak of the team.",
    "S4": "Close it: end with what came of it, or with the trade-off in one sentence.",
    "D2": "Give the reason for your choice, or the alternative you did not take.",
    "D3": "Say what was difficult and how you dealt with it.",
}


@dataclass(frozen=True)
class Page:
    """One question in the report. `score` is None where nobody scored it; `said` explains that state."""

    number: int
    turn: Turn
    score: float | None
    said: str
    lit: frozenset[str]


@dataclass(frozen=True)
class Report:
    card: rubric.Scorecard
    pages: tuple[Page, ...]
    strongest: Met | None
    priority: str | None
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
        priority=_priority(pages),
        graders=tuple(
            dict.fromkeys(
                p.turn.feedback.origin.model for p in scored if p.turn.feedback and p.turn.feedback.origin.model
            )
        ),
        wording=_wording([turn.answer for turn in interview.turns if turn.answer]),
        job_terms=_job_terms(interview),
    )


def markdown(interview: Interview) -> str:
    """The whole report as Markdown. What people and models wrote is escaped, so it cannot become markup."""
    report = build(interview)
    made = datetime.fromtimestamp(interview.created_at, UTC)
    lines = [
        f"# Practice interview: {escape(interview.setup.role)}",
        f"{made:%Y-%m-%d %H:%M} UTC · {interview.setup.level} · {len(interview.turns)} questions",
        f"**Overall: {overall_line(report.card)}**",
        f"_{DISCLAIMER} {origin_line(interview, report)}_",
    ]
    if report.strongest:
        lines.append(f"**Strongest moment:** “{escape(report.strongest.quote)}”")
    if report.priority:
        lines.append(f"**One thing to practise:** {report.priority}")
    if report.card.competencies:
        lines.append("| Competency | Score of 10 | |\n|---|---|---|")
        rows = [f"| {label(c)} | {s} | {rubric.band(s)} |" for c, s in report.card.competencies.items()]
        lines[-1] += "\n" + "\n".join(rows)
    if report.wording:
        cues = " · ".join(f"{name}: {count}" for name, count in report.wording.items())
        lines.append(f"In your wording (cues, no score): {cues}")
    if report.job_terms:
        used = ", ".join(escape(term) for term, said in report.job_terms.items() if said) or "none"
        lines.append(f"Words of the job description that you used: {used}")
    lines += [_page_markdown(page) for page in report.pages]
    return "\n\n".join(lines) + "\n"


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
    return f"Anchors found by {rulers}; quotes checked and scores computed by rubric {rubric.VERSION}.{warning}"


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
    if turn.state == "skipped":
        said = "Skipped, counts 0" if measured else "Skipped"
    elif turn.feedback and turn.feedback.origin.by == "gate":
        said = "No answer, counts 0" if measured else "No answer"
    elif turn.feedback is None:
        said = "Not reached, left out of the score" if not turn.answer else "Waiting for feedback"
    elif score is None:
        said = "Not scored"
    else:
        said = rubric.band(score)
    return Page(number, turn, score, said, rubric.lit(turn))


def _strongest(turn: Turn) -> Met | None:
    met = turn.feedback.met if turn.feedback else ()
    order = ("E4", "E3", "D2", "E2", "S4")
    return min(met, key=lambda m: order.index(m.anchor) if m.anchor in order else len(order), default=None)


def _priority(pages: tuple[Page, ...]) -> str | None:
    """What the scored answers lack most often, of what costs each of them most, as advice."""
    lacking = Counter(
        missing
        for page in pages
        if page.score is not None and page.turn.state == "done" and (missing := rubric.first_missing(page.lit))
    )
    return NEXT_STEP[lacking.most_common(1)[0][0]] if lacking else None


def _wording(answers: list[str]) -> dict[str, str]:
    """What the wording of the answers shows. Cues that anybody can count, never part of a score."""
    answers = [answer for answer in answers if text.is_english(answer)]  # the cues know no other language
    if not answers:
        return {}
    cues = [text.star_cues(answer) for answer in answers]
    counts = {
        "Numbers": sum(map(text.has_number, answers)),
        "Own actions": sum(cue["action"] for cue in cues),
        "A result": sum(cue["result"] for cue in cues),
    }
    length = round(median(len(text.words(answer)) for answer in answers))
    return {**{name: f"{n} of {len(answers)}" for name, n in counts.items()}, "Words, usually": str(length)}


def _job_terms(interview: Interview) -> dict[str, bool]:
    """The job description's terms and whether any answer used them. Shown, never scored."""
    said = " ".join(turn.answer for turn in interview.turns).casefold()
    return {term: term in said for term in terms(interview.setup.job, 12)} if interview.setup.job else {}


def _page_markdown(page: Page) -> str:
    turn = page.turn
    parts = [f"## {page.number}. {escape(turn.question.text)}"]
    mark = f"{page.said} ({page.score} of 10)" if page.score is not None and turn.state == "done" else page.said
    parts.append(f"**{mark}** · {label(turn.question.competency)}")
    if turn.answer:
        parts.append("\n".join("> " + escape(line) for line in turn.answer.splitlines()))
    feedback = turn.feedback
    if feedback:
        parts.append(escape(feedback.reaction))
        if feedback.note:
            parts.append(f"_{escape(feedback.note)}_")
        meanings = rubric.anchors(turn.question.kind)
        found = [f"- {meanings[m.anchor]}: “{escape(m.quote)}”" for m in feedback.met]
        wrong = [f"- {mistake_detector.NAMES[m.code]}: {escape(m.fix)}" for m in feedback.mistakes]
        parts += ["Found in your words:\n\n" + "\n".join(found)] if found else []
        parts += ["To mend:\n\n" + "\n".join(wrong)] if wrong else []
        if feedback.follow_up:
            parts.append(f"Likely follow-up: {escape(feedback.follow_up)}")
    parts.append(f"Shape of a strong answer: {turn.question.outline}")
    return "\n\n".join(parts)
