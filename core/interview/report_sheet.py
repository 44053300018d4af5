"""Paper for the report: styles, paragraphs and page numbers over ReportLab."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import IO
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, SimpleDocTemplate, Spacer, Table, TableStyle

from core.interview import text
from core.interview.report_fonts import BOLD, REGULAR, lacks, paragraph, register
from core.interview.report_radar import GREEN, INK, LINE, radar

MARGIN = 54.0  # points
WIDTH = A4[0] - 2 * MARGIN
FEWEST_AXES = 3
GREY = "#5f645c"
BODY = ParagraphStyle("body", fontName=REGULAR, fontSize=9.5, leading=13.5, textColor=INK, spaceAfter=5)
TITLE = ParagraphStyle("title", parent=BODY, fontName=BOLD, fontSize=20, leading=25, spaceAfter=6)
HEADING = ParagraphStyle(
    "heading", parent=BODY, fontName=BOLD, fontSize=13, leading=17, spaceBefore=12, spaceAfter=5, textColor=GREEN
)
QUESTION = ParagraphStyle("question", parent=BODY, fontName=BOLD, fontSize=10.5, leading=14.5, spaceBefore=14)
SMALL = ParagraphStyle("small", parent=BODY, fontSize=8, leading=11.5, textColor=GREY, spaceAfter=3)
QUOTED = ParagraphStyle("quoted", parent=BODY, leftIndent=12, rightIndent=12, textColor="#3c423a")
POINT = ParagraphStyle("point", parent=BODY, leftIndent=12, spaceAfter=2)


class Sheet:
    """Takes the report's parts in order; all words are printed as they are written, never read as markup."""

    def __init__(self) -> None:
        register()
        self._parts: list[Flowable] = []
        self.has_boxes = False

    def title(self, words: str) -> None:
        self._add(words, TITLE)

    def heading(self, words: str) -> None:
        self._add(words, HEADING, keep=True)

    def question(self, words: str) -> None:
        self._add(words, QUESTION, keep=True)

    def body(self, words: str) -> None:
        self._add(words, BODY)

    def small(self, words: str) -> None:
        self._add(words, SMALL)

    def quoted(self, words: str) -> None:
        for block in text.clean(words).splitlines():
            self._add(block, QUOTED)

    def labelled(self, label: str, words: str) -> None:
        self._add(words, BODY, before=f'<font name="{BOLD}">{escape(label)}.</font> ')

    def points(self, label: str, items: Iterable[str]) -> None:
        listed = list(items)
        if listed:
            self._add(f"{label}.", ParagraphStyle("label", parent=BODY, fontName=BOLD, spaceAfter=2), keep=True)
        for item in listed:
            self._add(item, POINT, before="– ")

    def radar(self, scores: Mapping[str, float], target: float) -> None:
        """Nothing for so few competencies that they span no area; the table has them all."""
        if len(scores) >= FEWEST_AXES:
            picture = radar(scores, target, REGULAR)
            picture.hAlign = "CENTER"
            self._parts.append(picture)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Short words of our own; long ones belong into paragraphs."""
        made = Table([list(head), *map(list, rows)], colWidths=[0.5 * WIDTH, 0.3 * WIDTH, 0.2 * WIDTH])
        made.setStyle(
            TableStyle(
                [
                    ("FONT", (0, 0), (-1, -1), REGULAR, 9),
                    ("FONT", (0, 0), (-1, 0), BOLD, 9),
                    ("TEXTCOLOR", (0, 0), (-1, -1), INK),
                    ("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE),
                    ("TOPPADDING", (0, 0), (-1, -1), 3),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
                ]
            )
        )
        self._parts += [KeepTogether(made), Spacer(1, 6)]

    def print_to(self, target: IO[bytes], title: str, foot: str) -> None:
        document = SimpleDocTemplate(
            target,
            pagesize=A4,
            leftMargin=MARGIN,
            rightMargin=MARGIN,
            topMargin=MARGIN,
            bottomMargin=MARGIN,
            title=text.clean(title),
            author="Greenroom",
            lang="en",
        )
        document.build(self._parts, canvasmaker=lambda *given, **options: _Numbered(foot, *given, **options))

    def _add(self, words: str, style: ParagraphStyle, before: str = "", keep: bool = False) -> None:
        if not words.strip():
            return
        self.has_boxes = self.has_boxes or lacks(words)
        made = paragraph(words, style, WIDTH, before)
        made.keepWithNext = keep
        self._parts.append(made)


class _Numbered(Canvas):  # type: ignore[misc]  # reportlab ships no types
    """Writes "Page 2 of 5" once it is known how many there are."""

    def __init__(self, foot: str, *given: object, **options: object) -> None:
        super().__init__(*given, **options)
        self._foot = foot
        self._finished: list[dict[str, object]] = []

    def showPage(self) -> None:  # noqa: N802 - ReportLab's name
        self._finished.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._finished, start=1):
            self.__dict__.update(page)
            self.setFont(REGULAR, 7.5)
            self.setFillColor(GREY)
            self.drawString(MARGIN, MARGIN / 2, self._foot)
            self.drawRightString(A4[0] - MARGIN, MARGIN / 2, f"Page {number} of {len(self._finished)}")
            super().showPage()
        super().save()
