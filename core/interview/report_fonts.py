"""What people wrote as paragraphs of a PDF: escaped, each run of letters in a font that has them, never fetched.

DejaVu Sans comes with the app and is embedded; Chinese, Japanese and Korean use the fonts that PDF readers bring
along. What neither has becomes MISSING. ReportLab is imported by who prints, so this module is imported late too.
"""

from __future__ import annotations

from functools import cache
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph

from core.interview import text
from core.interview.report_bidi import begins_right_to_left, is_right_to_left, joined, visual

FOLDER = Path(__file__).with_name("fonts")
REGULAR, BOLD = "Greenroom", "Greenroom-Bold"
CHINESE, JAPANESE, KOREAN = "STSong-Light", "HeiseiKakuGo-W5", "HYGothic-Medium"
MISSING = "\u25a1"


@cache
def register() -> None:
    """Make the fonts known to ReportLab, once in a process."""
    pdfmetrics.registerFont(TTFont(REGULAR, FOLDER / "DejaVuSans.ttf"))
    pdfmetrics.registerFont(TTFont(BOLD, FOLDER / "DejaVuSans-Bold.ttf"))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    for name in (CHINESE, JAPANESE, KOREAN):
        pdfmetrics.registerFont(UnicodeCIDFont(name))


def paragraph(written: str, style: ParagraphStyle, width: float, before: str = "") -> Paragraph:
    """The text as a paragraph for a column of this width in points. `before` is our own markup, put in front."""
    cleaned = text.clean(written)
    unspaced = any(_is_unspaced(c) for c in cleaned)
    right = begins_right_to_left(cleaned)
    style = ParagraphStyle(
        f"{style.name}-here",
        parent=style,
        wordWrap="CJK" if unspaced else None,
        alignment=TA_RIGHT if right else style.alignment,
    )
    if is_right_to_left(cleaned):
        room = (
            width - style.leftIndent - style.rightIndent - style.fontSize
        )  # a little spare, so none is wrapped twice
        before = before and f"{before}<br/>"
        lines = [shown for line in cleaned.splitlines() for shown in _wrapped(line, style, room)]
    else:
        lines = cleaned.splitlines()
    return Paragraph(before + "<br/>".join(_marked_up(line, style) for line in lines), style)


def lacks(written: str) -> bool:
    """Is there a character in it that no font has?"""
    return any(_font(c, REGULAR, written) is None for c in joined(text.clean(written)) if not c.isspace())


def _marked_up(line: str, style: ParagraphStyle) -> str:
    parts = []
    for font, letters in groupby(line, lambda c: _font(c, style.fontName, line)):
        run = "".join(letters)
        shown = escape(run) if font else MISSING * sum(c not in text.JOINERS for c in run)
        parts.append(shown if font in (None, style.fontName) else f'<font name="{font}">{shown}</font>')
    return "".join(parts)


def _font(character: str, usual: str, line: str) -> str | None:
    """The font to print it in; None where none has it."""
    if character.isspace():
        return usual
    if character > "\uffff":
        return None  # what ReportLab writes for those makes readers stumble
    if ord(character) in pdfmetrics.getFont(usual).face.charToGlyph:
        return usual
    if not _is_unspaced(character):
        return None
    if "\uac00" <= character <= "\ud7a3":
        return KOREAN
    return JAPANESE if any("\u3040" <= c <= "\u30ff" for c in line) else CHINESE


def _is_unspaced(character: str) -> bool:
    """Chinese, Japanese or Korean, with their punctuation."""
    return any(
        low <= character <= high
        for low, high in (("\u3000", "\u9fff"), ("\uac00", "\ud7a3"), ("\uff01", "\uff60"))
    )


def _wrapped(line: str, style: ParagraphStyle, room: float) -> list[str]:
    """The line broken by words so that each part fits, letters joined, each part in visual order."""
    right = begins_right_to_left(line)
    parts = [""]
    for word in joined(line).split():
        longer = f"{parts[-1]} {word}".strip()
        if parts[-1] and pdfmetrics.stringWidth(longer, style.fontName, style.fontSize) > room:
            parts.append(word)
        else:
            parts[-1] = longer
    return [visual(part, right) for part in parts]
