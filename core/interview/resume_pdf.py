"""A PDF as text: the first pages, their wrapped lines joined, without what a reader would not see."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

from core.interview.resume_ink import Ink
from core.interview.resume_limits import (
    MAX_CHARACTERS,
    PAGES_ACCEPTED,
    PAGES_READ,
    PDF_LIMITS,
    SCAN_WORDS,
    WRAP_CHARACTERS,
    CannotRead,
    Reading,
    count_words,
    pieces,
)

Outcome = Literal["text", "wordless", "blank", "damaged", "bomb"]
_OPEN_WORDS = {"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "over", "the", "to", "with"}


@dataclass(frozen=True)
class _Page:
    outcome: Outcome
    text: str = ""
    hidden: str = ""
    recognised: bool = False


def read_pdf(data: bytes) -> Reading:
    """Read the first pages. Raises CannotRead or whatever pypdf raises."""
    from pypdf import PdfReader, overwrite_configuration

    overwrite_configuration(**PDF_LIMITS)
    reader = PdfReader(BytesIO(data), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise CannotRead("password")
    total = _page_count(reader)
    pages = _read_pages(reader, min(total, PAGES_READ))
    outcomes = Counter(page.outcome for page in pages)
    text = "".join(page.text + "\n\n" for page in pages)
    hidden = "\n".join(page.hidden for page in pages)
    tried = outcomes.total() - outcomes["blank"]
    if tried and outcomes["damaged"] + outcomes["bomb"] == tried:
        raise CannotRead("bomb" if outcomes["bomb"] else "damaged")
    if count_words(text) < SCAN_WORDS:
        raise CannotRead("hidden" if count_words(hidden) >= SCAN_WORDS else "scan")
    return Reading(
        _join_wrapped(text[:MAX_CHARACTERS]),
        total,
        tried,
        unread=tried - outcomes["text"],
        left_out=pieces(hidden),
        recognised=any(page.recognised for page in pages),
    )


def _page_count(reader: Any) -> int:
    from pypdf.errors import LimitReachedError

    try:
        total = len(reader.pages)
    except LimitReachedError as error:
        raise CannotRead("pages") from error
    if total > PAGES_ACCEPTED:
        raise CannotRead("pages")
    if total == 0:
        raise CannotRead("damaged")
    return total


def _read_pages(reader: Any, count: int) -> list[_Page]:
    pages, size = list[_Page](), 0
    for index in range(count):
        pages.append(_read_page(reader, index))
        size += len(pages[-1].text) + len(pages[-1].hidden)
        if size >= MAX_CHARACTERS:
            break
    return pages


def _read_page(reader: Any, index: int) -> _Page:
    from pypdf.errors import LimitReachedError

    try:
        page = reader.pages[index]
        # pypdf passes quickly over drawings without text, unless it has to show them to an onlooker.
        if not count_words(page.extract_text()):
            return _Page("blank" if _is_blank(page) else "wordless")
        return _look_at(page)
    except (LimitReachedError, MemoryError):
        return _Page("bomb")
    except Exception:  # noqa: BLE001 - pypdf raises anything on broken pages; the other pages may be fine
        return _Page("damaged")


def _look_at(page: Any) -> _Page:
    """The words of a page apart by whether a reader would see them."""
    ink = Ink(page)
    shown, recognised = ink.extract(shown=True), ink.is_recognised
    if recognised:
        ink = Ink(page, sees_invisible=True)
        shown = ink.extract(shown=True)
    hidden = ink.extract(shown=False) if ink.has_hidden else ""
    return _Page("text" if count_words(shown) else "wordless", shown, hidden, recognised)


def _is_blank(page: Any) -> bool:
    """Whether a page without words is really empty: no pictures, and too few drawing commands for a scan."""
    if "/XObject" in (page.get("/Resources") or {}):
        return False
    contents = page.get_contents()
    return contents is None or len(contents.get_data()) < 1_000


def _join_wrapped(text: str) -> str:
    """Undo line wrapping: a line that goes on in lower case, or after an open word, belongs to the one before."""
    lines = [""]
    for line in map(str.strip, text.splitlines()):
        before = lines[-1]
        if len(before) >= WRAP_CHARACTERS and line and _goes_on(before, line):
            lines[-1] = before + ("" if before.endswith("-") else " ") + line
        else:
            lines.append(line)
    return "\n".join(lines)


def _goes_on(before: str, line: str) -> bool:
    if before.rpartition(" ")[2] in _OPEN_WORDS:
        return True
    return line[0].islower() and (before[-1].isalnum() or before[-1] in ",%)-")
