"""The text of a resume or a job description, made safe to use: normalised, doubted, without instructions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.interview.injections import Span, flagged
from core.interview.resume_facts import section_of
from core.interview.resume_limits import MAX_CHARACTERS, count_words

MAX_TEXT_CHARACTERS = 20_000
FEWEST_WORDS = 50

CUT = "This is long. We keep the first 20,000 characters."
JOB_ADVERT = "This looks like a job advert. If it is one, move it to the job description below."
NOT_RESUME = "This does not look like a resume. Use it anyway, or clear the box to go on with role questions only."

_ADVERT = re.compile(
    r"\b(we('re| are) (looking for|hiring)|responsibilities|you('ll| will)|we offer|who you are|about us|apply now"
    r"|about the (role|job|position)|how to apply|join (us|our team)|(ideal|successful) candidate"
    r"|equal opportunity|your (profile|role|tasks)|nice to have)\b",
    re.IGNORECASE,
)
_DATE = re.compile(r"\b(19|20)\d\d\b")
_INVISIBLE_LETTERS = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_REFINEMENTS = 3  # what is left when an instruction is gone may join to another one


@dataclass(frozen=True)
class ResumeText:
    """Cleaned text of at most 20,000 characters, and sentences to show beside it.

    `left_out` is what the file hid from its readers, `instructions` are passages that tried to instruct a model.
    Neither stands in `text`; both are shown to whoever gave the text.
    """

    text: str
    warnings: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    instructions: tuple[str, ...] = ()


def clean_text(text: str) -> ResumeText:
    """Normalise pasted or extracted text (NFKC, no control, bidi or zero-width characters). Idempotent."""
    raw = text[:MAX_CHARACTERS]
    lines = "\n".join(raw.splitlines()).replace("\t", " ")
    visible = "".join(c for c in _INVISIBLE_LETTERS.sub("", lines) if c == "\n" or _is_kept(c))
    # Thousands of accents on one letter make normalising quadratic; the second cut keeps the result stable.
    normal = _cap_accents(unicodedata.normalize("NFKC", _cap_accents(visible, 30)), 8)
    tidy = "\n".join(" ".join(line.split()) for line in normal.split("\n"))
    tidy = re.sub(r"\n{3,}", "\n\n", tidy).strip()
    kept = tidy[:MAX_TEXT_CHARACTERS].rstrip()
    warnings = [CUT] if len(tidy) > MAX_TEXT_CHARACTERS or len(text) > len(raw) else []
    return ResumeText(kept, (*warnings, *_doubts(kept)))


def usable(text: str) -> ResumeText:
    """Cleaned, and without the passages that try to instruct a model."""
    cleaned = clean_text(text)
    kept, taken = cleaned.text, list[str]()
    for _ in range(_REFINEMENTS):
        spans = flagged(kept)
        if not spans:
            break
        taken += [span.words for span in spans]
        kept = clean_text(_cut(kept, spans)).text
    return replace(cleaned, text=kept, instructions=tuple(dict.fromkeys(taken)))


def _cut(text: str, spans: tuple[Span, ...]) -> str:
    """What stands around the spans; a line that goes on behind one shows where words are missing."""
    kept, at = "", 0
    for span in spans:
        kept += text[at : span.start]
        at = span.end
        begins_line, ends_line = kept[-1:] in ("", "\n"), text[at : at + 1] in ("", "\n")
        if begins_line and ends_line:
            at += 1
        elif not begins_line and not ends_line:
            kept = kept.rstrip(" ") + " ... "
    return kept + text[at:]


def _is_kept(character: str) -> bool:
    return not unicodedata.category(character).startswith("C")


def _cap_accents(text: str, most: int) -> str:
    def kept() -> Iterator[str]:
        run = 0
        for character in text:
            run = run + 1 if unicodedata.combining(character) else 0
            if run <= most:
                yield character

    return "".join(kept())


def _doubts(text: str) -> tuple[str, ...]:
    """At most one: a job advert, or no resume at all. Empty text raises no doubt."""
    if not text:
        return ()
    cues = {match.group().lower() for match in _ADVERT.finditer(text.replace("\u2019", "'"))}
    sections = {name for line in text.splitlines() if (name := section_of(line))}
    if len(cues) >= 2 and not {"experience", "education"} <= sections:
        return (JOB_ADVERT,)
    no_signs = not sections and not _DATE.search(text)
    return (NOT_RESUME,) if no_signs or count_words(text) < FEWEST_WORDS else ()


def is_garbled(text: str) -> bool:
    """Letters torn apart, or a page of fragments: what columns and spaced headings turn into."""
    words = text.split()
    lines = [line for line in text.splitlines() if line]
    torn = sum(len(word) == 1 and word.isascii() and word.isalpha() for word in words)
    fragments = sum(len(line.split()) <= 2 and len(line) < 20 for line in lines)
    return torn > 0.3 * len(words) or (len(lines) > 60 and fragments > 0.7 * len(lines))
