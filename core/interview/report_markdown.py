"""The report as Markdown. What people and models wrote is escaped, so it cannot become markup."""

from __future__ import annotations

from datetime import UTC, datetime

from core.interview import report, rubric
from core.interview.drills import drill
from core.interview.model import Feedback, Interview, Narrative, Turn
from core.interview.report import Page, Report, escape, label


def markdown(interview: Interview) -> str:
    """The whole report, complete with or without a narrative."""
    found = report.build(interview)
    lines = [*_headline(interview, found), *_overall(interview, found)]
    if interview.narrative:
        lines += _narrative(interview.narrative)
    if found.wording:
        told = " · ".join(f"{name}: {count}" for name, count in found.wording.items())
        lines.append(f"In your wording (cues, no score): {told}")
    if found.job_terms:
        used = ", ".join(escape(term) for term, said in found.job_terms.items() if said) or "none"
        lines.append(f"Words of the job description that you used: {used}")
    for page in found.pages:
        lines += _page(interview, page)
    return "\n\n".join(lines) + "\n"


def _headline(interview: Interview, found: Report) -> list[str]:
    made = datetime.fromtimestamp(interview.created_at, UTC)
    lines = [
        f"# Practice interview: {escape(interview.setup.role)}",
        f"{made:%Y-%m-%d %H:%M} UTC · {interview.setup.level} · {len(interview.turns)} questions",
    ]
    if found.strongest:
        lines.append(f"**Strongest moment:** “{escape(found.strongest.quote)}”")
    if found.priority:
        lines.append(f"**{report.practise_line(found.priority)}:** {found.priority.drill.advice}")
        lines.append(
            f"**A drill for it:** {found.priority.drill.exercise} Then try question {found.priority.number}."
        )
    return lines


def _overall(interview: Interview, found: Report) -> list[str]:
    lines = [
        f"**Overall: {report.overall_line(found.card)}**",
        f"_{report.DISCLAIMER} {report.origin_line(interview, found)}_",
        *(f"_{escape(change.reason)}_" for change in interview.downgrades),
    ]
    if found.card.competencies:
        rows = [f"| {label(c)} | {rubric.band(s)} | {s} |" for c, s in found.card.competencies.items()]
        lines.append("\n".join(["| Competency | | Score of 10 |\n|---|---|---|", *rows]))
    return lines


def _narrative(told: Narrative) -> list[str]:
    lines = [f"_In words, by {escape(told.model)}. Numbers are yours or stand as \\[your number\\]._"]
    if told.summary:
        lines.append(escape(told.summary))
    if told.strengths:
        lines.append("What works:\n\n" + "\n".join(f"- {escape(strength)}" for strength in told.strengths))
    if told.priorities:
        lines.append("Next:\n\n" + "\n".join(f"- {escape(p.why)} {escape(p.drill)}" for p in told.priorities))
    return lines


def _page(interview: Interview, page: Page) -> list[str]:
    turn = page.turn
    mark = f"{page.said} ({page.score} of 10)" if page.score is not None and turn.state == "done" else page.said
    parts = [
        f"## {page.number}. {escape(turn.question.text)}",
        f"**{mark}** · {label(turn.question.competency)}",
    ]
    if turn.answer:
        parts.append(_quoted(turn.answer))
    if turn.feedback:
        parts += _feedback(turn, turn.feedback)
    parts += _wording(page)
    if turn.self_met is not None:
        parts.append(f"You marked: {_meanings(turn, turn.self_met) or 'nothing'}")
    if turn.second:
        parts.append(
            f"A second opinion by {escape(turn.second.origin.model)}, not part of the score, found: "
            f"{_meanings(turn, report.lit_by_second(turn)) or 'nothing'}"
        )
    for tried in turn.tries:
        if tried.feedback and tried.feedback.scored:
            newly = _meanings(turn, report.newly_lit(turn, tried))
            parts += [f"Tried again. Newly shown: {newly or 'nothing'}", _quoted(tried.answer)]
    written = report.outline_for(interview, turn)
    parts.append(f"Shape of a strong answer: {escape(written.text if written else turn.question.outline)}")
    return parts


def _feedback(turn: Turn, feedback: Feedback) -> list[str]:
    parts = [escape(feedback.reaction)]
    if feedback.note:
        parts.append(f"_{escape(feedback.note)}_")
    parts += [f"_Left out of the assessment: “{escape(words)}”_" for words in feedback.left_out]
    found = [f"- “{escape(quote)}”: {', '.join(w)}" for quote, w in report.by_quote(turn, feedback).items()]
    wrong = [f"- {report.mistake_name(m)}: {escape(m.fix)}{_said(m.quote)}" for m in feedback.mistakes]
    parts += ["Found in your words:\n\n" + "\n".join(found)] if found else []
    parts += ["To mend:\n\n" + "\n".join(wrong)] if wrong else []
    missing = rubric.missing(rubric.lit(turn)) if feedback.scored and found else ()
    if missing:
        parts.append(f"Next step: {drill(missing[0], turn.question.kind).advice}")
    return [*parts, f"Likely follow-up: {escape(feedback.follow_up)}"] if feedback.follow_up else parts


def _wording(page: Page) -> list[str]:
    parts = []
    if page.cues:
        told = " · ".join(f"{name}: {found}" for name, found in report.cue_parts(page.cues).items())
        parts.append(f"{report.CUES_ONLY}: {told}")
    if page.points:
        told = ", ".join(f"{escape(p.text)} ({'touched' if p.touched else 'not seen'})" for p in page.points)
        parts.append(f"Key points, by their words: {told}")
    return parts


def _quoted(answer: str) -> str:
    return "\n".join("> " + escape(line) for line in answer.splitlines())


def _said(quote: str | None) -> str:
    return f" (“{escape(quote)}”)" if quote else ""


def _meanings(turn: Turn, codes: frozenset[str] | tuple[str, ...]) -> str:
    """Anchors in words, in the rubric's order."""
    return "; ".join(meaning for code, meaning in rubric.anchors(turn.question.kind).items() if code in codes)
