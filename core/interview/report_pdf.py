"""The report as a PDF: readable, printable, with the radar as a picture. Nothing in it is ever fetched."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.interview import report, rubric
from core.interview.model import Feedback, Interview, Narrative, Turn
from core.interview.report import Page, Report, label

if TYPE_CHECKING:
    from core.interview.report_sheet import Sheet

BOXES = "Characters that these fonts lack are shown as a box. The Markdown and JSON downloads have all of them."
_one_at_a_time = threading.Lock()  # ReportLab keeps what it knows of fonts in globals


def as_pdf(interview: Interview) -> bytes:
    """The whole report, with the numbers of the page and of the other downloads."""
    from core.interview.report_sheet import Sheet  # late: ReportLab costs time to import, and most never print

    found = report.build(interview)
    with _one_at_a_time:
        sheet = Sheet()
        _headline(sheet, interview, found)
        _overall(sheet, interview, found)
        if interview.narrative:
            _narrative(sheet, interview.narrative)
        _wording(sheet, found)
        sheet.heading("Question by question")
        for page in found.pages:
            _page(sheet, interview, page)
        if sheet.has_boxes:
            sheet.small(BOXES)
        printed = io.BytesIO()
        sheet.print_to(printed, f"Practice interview: {interview.setup.role}", report.DISCLAIMER)
        return printed.getvalue()


def _headline(sheet: Sheet, interview: Interview, found: Report) -> None:
    made = datetime.fromtimestamp(interview.created_at, UTC)
    sheet.title("Your practice interview")
    sheet.body(interview.setup.role)
    sheet.small(f"{made:%d %B %Y, %H:%M} UTC · {interview.setup.level} level · {len(interview.turns)} questions")
    if found.strongest:
        sheet.labelled("Strongest moment", f"“{found.strongest.quote}”")
    if found.priority:
        sheet.labelled(report.practise_line(found.priority), found.priority.drill.advice)
        sheet.labelled(
            "A drill for it", f"{found.priority.drill.exercise} Then try question {found.priority.number} again."
        )


def _overall(sheet: Sheet, interview: Interview, found: Report) -> None:
    line = report.overall_line(found.card)
    sheet.heading(f"Overall: {line}")
    sheet.small(f"{report.DISCLAIMER} {report.origin_line(interview, found)}")
    for change in interview.downgrades:
        sheet.small(change.reason)
    scores = found.card.competencies
    if not scores:
        return
    target = report.TARGETS[interview.setup.level]
    sheet.radar(scores, target)
    sheet.table(
        ["Competency", "Band", "Of 10"], [[label(c), rubric.band(s), f"{s:.1f}"] for c, s in scores.items()]
    )
    sheet.small(f"The target for this level, {target:g} of 10, is our choice and not a measurement.")


def _narrative(sheet: Sheet, told: Narrative) -> None:
    sheet.heading("In words")
    sheet.small(f"Written by {told.model}. Numbers are yours, or stand as [your number].")
    sheet.body(told.summary)
    sheet.points("What works", told.strengths)
    sheet.points("Next", [f"{p.why} {p.drill}" for p in told.priorities])


def _wording(sheet: Sheet, found: Report) -> None:
    if found.wording:
        told = " · ".join(f"{name}: {count}" for name, count in found.wording.items())
        sheet.labelled("In your wording (cues, no score)", told)
    if found.job_terms:
        used = ", ".join(term for term, said in found.job_terms.items() if said) or "none"
        sheet.labelled("Words of the job description that you used", used)


def _page(sheet: Sheet, interview: Interview, page: Page) -> None:
    turn = page.turn
    sheet.question(f"{page.number}. {turn.question.text}")
    is_marked = page.score is not None and turn.state == "done"
    mark = f"{page.said} ({page.score} of 10)" if is_marked else page.said
    sheet.small(f"{mark} · {label(turn.question.competency)}")
    if turn.answer:
        sheet.quoted(turn.answer)
    if turn.feedback:
        _feedback(sheet, page, turn.feedback)
    if page.cues:
        told = " · ".join(f"{name}: {seen}" for name, seen in report.cue_parts(page.cues).items())
        sheet.labelled(report.CUES_ONLY, told)
    sheet.points(
        "Key points, by their words", [f"{p.text} ({'touched' if p.touched else 'not seen'})" for p in page.points]
    )
    _asked_for(sheet, turn)
    written = report.outline_for(interview, turn)
    sheet.labelled("Shape of a strong answer", written.text if written else turn.question.outline)


def _feedback(sheet: Sheet, page: Page, feedback: Feedback) -> None:
    sheet.body(feedback.reaction)
    if feedback.note:
        sheet.small(feedback.note)
    for words in feedback.left_out:
        sheet.small(f"Left out of the assessment: “{words}”")
    if feedback.scored and page.lit:
        for line in _lamps(page):
            sheet.small(line)
    found = report.by_quote(page.turn, feedback)
    sheet.points("Found in your words", [f"“{quote}”: {', '.join(shown)}" for quote, shown in found.items()])
    sheet.points("To mend", [f"{report.mistake_name(m)}: {m.fix}" for m in feedback.mistakes])
    if feedback.follow_up:
        sheet.labelled("Likely follow-up", feedback.follow_up)


def _lamps(page: Page) -> Iterator[str]:
    for letter, dimension in rubric.DIMENSIONS.items():
        held = sum(anchor.startswith(letter) for anchor in page.lit)
        yield f"{'●' * held}{'○' * (rubric.ANCHORS_EACH - held)} {dimension}, {held} of {rubric.ANCHORS_EACH}"


def _asked_for(sheet: Sheet, turn: Turn) -> None:
    """What the candidate asked for or added: own rating, second opinion, other goes. Never part of the score."""
    if turn.self_met is not None:
        sheet.labelled("You marked", _meanings(turn, turn.self_met))
    if turn.second:
        named = f"A second opinion by {turn.second.origin.model}, not part of the score, found"
        sheet.labelled(named, _meanings(turn, report.lit_by_second(turn)))
    for tried in turn.tries:
        if tried.feedback and tried.feedback.scored:
            sheet.labelled("Tried again. Newly shown", _meanings(turn, report.newly_lit(turn, tried)))
            sheet.quoted(tried.answer)


def _meanings(turn: Turn, codes: Iterable[str]) -> str:
    held = frozenset(codes)
    return (
        "; ".join(text for code, text in rubric.anchors(turn.question.kind).items() if code in held) or "nothing"
    )
