"""Builders of resumes with words that a reader would not see, and of some that only look like it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import docx
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.shared import Pt, RGBColor
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from tests import files

Draw = Callable[[Any], None]
WHITE = RGBColor(0xFF, 0xFF, 0xFF)


def pdf(draw: Draw, before: Draw | None = None) -> bytes:
    """The resume on a page, with what `draw` adds after and `before` puts behind."""
    target = BytesIO()
    paper = canvas.Canvas(target)
    if before:
        before(paper)
    paper.setFillColorRGB(0, 0, 0)
    write(paper, files.RESUME, 800)
    draw(paper)
    paper.save()
    return target.getvalue()


def write(paper: Any, text: str, top: float, size: float = 9, mode: int = 0) -> None:
    pen = paper.beginText(40, top)
    pen.setFont("Helvetica", size)
    pen.setTextRenderMode(mode)
    for line in text.splitlines():
        pen.textLine(line)
    pen.setTextRenderMode(0)
    paper.drawText(pen)


def in_color(text: str, top: float, *color: float) -> Draw:
    def draw(paper: Any) -> None:
        (paper.setFillColorCMYK if len(color) == 4 else paper.setFillColorRGB)(*color)
        write(paper, text, top)

    return draw


def in_size(text: str, size: float) -> Draw:
    return lambda paper: write(paper, text, 300, size)


def scaled_down(text: str, scale: float) -> Draw:
    """Letters of an honest size on a page that is made small around them."""

    def draw(paper: Any) -> None:
        paper.saveState()
        paper.scale(scale, scale)
        paper.drawString(400 / scale, 300 / scale, text)
        paper.restoreState()

    return draw


def in_a_form(inner: Draw, scale: float = 1.0) -> Draw:
    """A form that is drawn at this scale."""

    def draw(paper: Any) -> None:
        paper.beginForm("f")
        inner(paper)
        paper.endForm()
        paper.scale(scale, scale)
        paper.doForm("f")

    return draw


def unseen(text: str) -> Draw:
    return lambda paper: write(paper, text, 300, mode=3)


def field(red: float, green: float, blue: float) -> Draw:
    """A coloured field across the lower half of the page."""

    def draw(paper: Any) -> None:
        paper.setFillColorRGB(red, green, blue)
        paper.rect(0, 0, 600, 420, stroke=0, fill=1)

    return draw


def picture(paper: Any) -> None:
    paper.drawImage(ImageReader(Image.new("RGB", (60, 80), (20, 40, 60))), 0, 0, 600, 850)


def recognised_scan() -> bytes:
    """A picture of a page, and over it, unseen, the words that a program has recognised."""
    target = BytesIO()
    paper = canvas.Canvas(target)
    picture(paper)
    write(paper, files.RESUME, 800, mode=3)
    paper.save()
    return target.getvalue()


def all_white() -> bytes:
    target = BytesIO()
    paper = canvas.Canvas(target)
    in_color(files.RESUME, 800, 1, 1, 1)(paper)
    paper.save()
    return target.getvalue()


def word(add: Callable[[Any], None]) -> bytes:
    """The resume in Word, with what `add` does to the document."""
    document = docx.Document()
    for line in files.RESUME.splitlines():
        document.add_paragraph(line)
    add(document)
    target = BytesIO()
    document.save(target)
    return target.getvalue()


def run(text: str, **marks: Any) -> Callable[[Any], None]:
    """A run whose font has these marks: `color`, `size` in points, `hidden`, `highlight`."""

    def add(document: Any) -> None:
        mark(document.add_paragraph().add_run(text), **marks)

    return add


def mark(letters: Any, color: RGBColor | None = None, size: float | None = None, hidden: bool = False) -> Any:
    letters.font.color.rgb = color
    letters.font.size = Pt(size) if size else None
    letters.font.hidden = hidden or None
    return letters


def by_style(text: str, kind: str, **marks: Any) -> Callable[[Any], None]:
    """The marks stand in a style, on which the text's own style builds."""

    def add(document: Any) -> None:
        of = WD_STYLE_TYPE.PARAGRAPH if kind == "paragraph" else WD_STYLE_TYPE.CHARACTER
        base, own = document.styles.add_style("Ghost", of), document.styles.add_style("Spirit", of)
        mark(base, **marks)
        own.base_style = base
        if kind == "paragraph":
            document.add_paragraph(text, style="Spirit")
        else:
            document.add_paragraph().add_run(text, style="Spirit")

    return add


def in_a_cell(text: str, fill: str) -> Callable[[Any], None]:
    """White letters in a table cell of this colour."""

    def add(document: Any) -> None:
        cell = document.add_table(rows=1, cols=1).cell(0, 0)
        cell._tc.get_or_add_tcPr().append(_shading(fill))
        mark(cell.paragraphs[0].add_run(text), color=WHITE)

    return add


def in_a_band(text: str, fill: str) -> Callable[[Any], None]:
    """White letters in a paragraph of this colour."""

    def add(document: Any) -> None:
        paragraph = document.add_paragraph()
        paragraph._p.get_or_add_pPr().append(_shading(fill))
        mark(paragraph.add_run(text), color=WHITE)

    return add


def over_a_drawing(text: str) -> Callable[[Any], None]:
    """White letters in a document with something drawn behind its text."""

    def add(document: Any) -> None:
        letters = mark(document.add_paragraph().add_run(text), color=WHITE)
        space = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
        letters._r.append(
            parse_xml(f'<w:drawing xmlns:w="{files.W}"><wp:anchor xmlns:wp="{space}" behindDoc="1"/></w:drawing>')
        )

    return add


def _shading(fill: str) -> Any:
    return parse_xml(f'<w:shd xmlns:w="{files.W}" w:val="clear" w:color="auto" w:fill="{fill}"/>')
