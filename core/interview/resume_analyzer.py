"""From an uploaded file or pasted text to clean resume text; nothing of the content or the name is logged.

Files are parsed by `resume_reader` in a child process with limits, because parsers fed by strangers can be
frozen or made to swallow all memory by a small file.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.interview import resume_reader
from core.interview.resume_facts import ResumeFacts, facts, section_of, terms

__all__ = ["ResumeError", "ResumeFacts", "ResumeText", "clean_text", "facts", "read_resume", "terms"]

MAX_TEXT_CHARACTERS = 20_000
MAX_TXT_BYTES = 1_000_000
WALL_SECONDS = 8.0
QUEUE_SECONDS = 16.0
_slots = threading.BoundedSemaphore(2)

OTHER_TYPE = "This kind of file cannot be read. Upload a PDF, DOCX or TXT, or paste your resume below."
WRONG_TYPE = "The file says .{kind} but is something else. Upload a PDF, DOCX or TXT."
OLD_WORD = "This is an old Word file. Save it as .docx or PDF."
LOCKED_WORD = "This is an old Word file or has a password. Save it as .docx or PDF, without a password."
TOO_LARGE = "Maximum is 5 MB. We use the first 10 pages."
TXT_TOO_LARGE = "Maximum is 1 MB for a text file. Paste the part that matters below."
NO_TEXT = "We found no text in this file. Upload a text PDF or DOCX, or paste your resume below."
ENCODING = "The letters of this text file could not be read. Save it as UTF-8, or paste the text below."
BUSY = "Many files are being read right now. Try again in a moment, or paste the text."
SLOW = "Reading took too long and was stopped. Paste the text instead."
DAMAGED = "The file is damaged and could not be opened. Export it again or paste the text."
PROBLEMS: dict[resume_reader.Problem, str] = {
    "password": "{KIND} needs a password. Save a copy without one and upload that. We never ask for the password.",
    "scan": "We could not read text in this PDF; it looks like a scan. Upload a text PDF or DOCX, or paste your "
    "resume below.",
    "damaged": DAMAGED,
    "bomb": "This document unpacks to far more than a resume should. It was not opened.",
    "pages": "This PDF has more than 50 pages. Upload the resume alone; we use the first 10 pages.",
    "type": WRONG_TYPE,
    "unavailable": "Files cannot be read on this server right now. Paste the text instead.",
}

CUT = "This is long. We keep the first 20,000 characters."
FIRST_PAGES = "We use the first 10 pages."
SOME_PAGES = "We read {read} of {tried} pages. Check the text below and add what is missing."
HIDDEN = "Some text in this file is invisible to readers. We left it out."
GARBLED = "The layout confused the reader. Please check the text."
JOB_ADVERT = "This looks like a job advert. If it is one, move it to the job description below."
NOT_RESUME = "This does not look like a resume. Use it anyway, or clear the box to go on with role questions only."

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_BINARY = (_OLE, _ZIP, b"MZ", b"\x7fELF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"\x1f\x8b", b"{\\rtf")
_CHILD_ENVIRONMENT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_KILLED_BY_LIMIT = {-getattr(signal, name, 0) for name in ("SIGXCPU", "SIGKILL")} - {0}

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


class ResumeError(Exception):
    """The file cannot be used; the message is the sentence to show, free of file content."""


@dataclass(frozen=True)
class ResumeText:
    """Cleaned text of at most 20,000 characters, and sentences to show beside it."""

    text: str
    warnings: tuple[str, ...]


def read_resume(filename: str, data: bytes) -> ResumeText:
    """Read a PDF, DOCX or TXT. Raises ResumeError. Of the name only the ending is used."""
    if len(data) > resume_reader.MAX_FILE_BYTES:
        raise ResumeError(TOO_LARGE)
    kind = filename.rpartition(".")[2].strip().lower()
    if not data:
        raise ResumeError(NO_TEXT)
    _check_type(kind, data)
    if kind == "txt":
        raw, found = _decode(data), []
    else:
        reading = _read_in_child(kind, data)
        raw, found = reading.text, _warnings_of(reading)
    cleaned = clean_text(raw)
    if not resume_reader.count_words(cleaned.text):
        raise ResumeError(NO_TEXT)
    if _is_garbled(cleaned.text):
        found.append(GARBLED)
    return ResumeText(cleaned.text, (*found, *cleaned.warnings))


def clean_text(text: str) -> ResumeText:
    """Normalise pasted or extracted text (NFKC, no control, bidi or zero-width characters). Idempotent."""
    raw = text[: resume_reader.MAX_CHARACTERS]
    lines = "\n".join(raw.splitlines()).replace("\t", " ")
    visible = "".join(c for c in _INVISIBLE_LETTERS.sub("", lines) if c == "\n" or _is_kept(c))
    # Thousands of accents on one letter make normalising quadratic; the second cut keeps the result stable.
    normal = _cap_accents(unicodedata.normalize("NFKC", _cap_accents(visible, 30)), 8)
    tidy = "\n".join(" ".join(line.split()) for line in normal.split("\n"))
    tidy = re.sub(r"\n{3,}", "\n\n", tidy).strip()
    kept = tidy[:MAX_TEXT_CHARACTERS].rstrip()
    warnings = [CUT] if len(tidy) > MAX_TEXT_CHARACTERS or len(text) > len(raw) else []
    return ResumeText(kept, (*warnings, *_doubts(kept)))


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
    return (NOT_RESUME,) if no_signs or resume_reader.count_words(text) < 50 else ()


def _is_garbled(text: str) -> bool:
    """Letters torn apart, or a page of fragments: what columns and spaced headings turn into."""
    words = text.split()
    lines = [line for line in text.splitlines() if line]
    torn = sum(len(word) == 1 and word.isascii() and word.isalpha() for word in words)
    fragments = sum(len(line.split()) <= 2 and len(line) < 20 for line in lines)
    return torn > 0.3 * len(words) or (len(lines) > 60 and fragments > 0.7 * len(lines))


def _check_type(kind: str, data: bytes) -> None:
    if kind == "doc":
        raise ResumeError(OLD_WORD if data.startswith(_OLE) else OTHER_TYPE)
    if kind not in ("pdf", "docx", "txt"):
        raise ResumeError(OTHER_TYPE)
    if kind == "docx" and data.startswith(_OLE):
        raise ResumeError(LOCKED_WORD)
    is_pdf = b"%PDF-" in data[:1024] and not data.startswith(_BINARY)
    matches = {"pdf": is_pdf, "docx": data.startswith(_ZIP), "txt": not data.startswith((*_BINARY, b"%PDF-"))}
    if not matches[kind]:
        raise ResumeError(WRONG_TYPE.format(kind=kind))


def _decode(data: bytes) -> str:
    if len(data) > MAX_TXT_BYTES:
        raise ResumeError(TXT_TOO_LARGE)
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        if data.startswith(b"\xef\xbb\xbf"):
            return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ResumeError(ENCODING) from None
    if data.count(0):
        raise ResumeError(ENCODING if data.count(0) > len(data) // 3 else WRONG_TYPE.format(kind="txt"))
    if sum(byte < 32 and byte not in b"\t\n\v\f\r" for byte in data) > len(data) // 50:
        raise ResumeError(WRONG_TYPE.format(kind="txt"))
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _read_in_child(kind: str, data: bytes) -> resume_reader.Reading:
    """Parse in a process of its own, at most two at once. Raises ResumeError, within the queue and wall time."""
    if not _slots.acquire(timeout=QUEUE_SECONDS):
        raise ResumeError(BUSY)
    try:
        done = _run_child(kind, data)
    except subprocess.TimeoutExpired:
        raise ResumeError(SLOW) from None
    except OSError:
        raise ResumeError(PROBLEMS["unavailable"]) from None
    finally:
        _slots.release()
    if done.returncode in _KILLED_BY_LIMIT:
        raise ResumeError(SLOW)
    return _parse_reply(kind, done.stdout)


def _run_child(kind: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
    script = Path(resume_reader.__file__).resolve()
    folders = [folder for folder in sys.path if folder]
    return subprocess.run(  # noqa: S603 - our own script by absolute path; the file goes in by pipe
        [sys.executable, "-I", str(script), kind, *folders],
        input=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=WALL_SECONDS,
        cwd=script.parent,
        env={name: os.environ[name] for name in _CHILD_ENVIRONMENT if name in os.environ},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        check=False,
    )


def _parse_reply(kind: str, reply: bytes) -> resume_reader.Reading:
    try:
        fields: dict[str, Any] = json.loads(reply)
        if "error" in fields:
            label = "This PDF" if kind == "pdf" else "This document"
            raise ResumeError(PROBLEMS.get(fields["error"], DAMAGED).format(KIND=label, kind=kind))
        return resume_reader.Reading(**fields)
    except (ValueError, TypeError):
        raise ResumeError(DAMAGED) from None


def _warnings_of(reading: resume_reader.Reading) -> list[str]:
    notes = [FIRST_PAGES] if reading.pages > resume_reader.PAGES_READ else []
    if reading.unread:
        notes.append(SOME_PAGES.format(read=reading.tried - reading.unread, tried=reading.tried))
    return [*notes, HIDDEN] if reading.hidden else notes
