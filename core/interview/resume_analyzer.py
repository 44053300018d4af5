"""From an uploaded file to clean resume text; nothing of the content or the name is logged.

Files are parsed by `resume_reader` in a child process with limits, because parsers fed by strangers can be
frozen or made to swallow all memory by a small file.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.interview import resume_limits
from core.interview.resume_facts import ResumeFacts, facts, terms
from core.interview.resume_text import ResumeText, clean_text, is_garbled, usable

__all__ = ["ResumeError", "ResumeFacts", "ResumeText", "clean_text", "facts", "read_resume", "terms", "usable"]

MAX_TXT_BYTES = 1_000_000
ANSWER_SECONDS = 7.0  # from the upload to the answer, waiting for the others included
QUEUE_SECONDS = 3.5
AT_ONCE = 2
_slots = threading.BoundedSemaphore(AT_ONCE)

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
PROBLEMS: dict[resume_limits.Problem, str] = {
    "password": "{KIND} needs a password. Save a copy without one and upload that. We never ask for the password.",
    "scan": "We could not read text in this PDF; it looks like a scan. Upload a text PDF or DOCX, or paste your "
    "resume below.",
    "damaged": DAMAGED,
    "bomb": "This document unpacks to far more than a resume should. It was not opened.",
    "pages": "This PDF has more than 50 pages. Upload the resume alone; we use the first 10 pages.",
    "type": WRONG_TYPE,
    "hidden": "The text in this file is white, tiny or hidden, so people cannot read it. Save it in dark letters, "
    "or paste your resume below.",
    "unavailable": "Files cannot be read on this server right now. Paste the text instead.",
}

FIRST_PAGES = "We use the first 10 pages."
SOME_PAGES = "We read {read} of {tried} pages. Check the text below and add what is missing."
HIDDEN = "Some text in this file is invisible to readers. We left it out."
RECOGNISED = "This is a scan whose words a program has recognised. Please check them."
GARBLED = "The layout confused the reader. Please check the text."
INSTRUCTIONS = "Some of this text is addressed to an AI rather than to a reader. We left it out."

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_BINARY = (_OLE, _ZIP, b"MZ", b"\x7fELF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"\x1f\x8b", b"{\\rtf")
_READER = Path(__file__).resolve().with_name("resume_reader.py")
_ROOT = _READER.parents[2]
_CHILD_ENVIRONMENT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_KILLED_BY_LIMIT = {-getattr(signal, name, 0) for name in ("SIGXCPU", "SIGKILL")} - {0}


class ResumeError(Exception):
    """The file cannot be used; the message is the sentence to show, free of file content."""


def read_resume(filename: str, data: bytes) -> ResumeText:
    """Read a PDF, DOCX or TXT. Of the name only the ending is used.

    Raises ResumeError. One or the other comes within `ANSWER_SECONDS`, or a moment more.
    """
    if len(data) > resume_limits.MAX_FILE_BYTES:
        raise ResumeError(TOO_LARGE)
    kind = filename.rpartition(".")[2].strip().lower()
    if not data:
        raise ResumeError(NO_TEXT)
    _check_type(kind, data)
    reading = resume_limits.Reading(_decode(data)) if kind == "txt" else _read_in_child(kind, data)
    found = usable(reading.text)
    if not resume_limits.count_words(found.text) and not found.instructions:
        raise ResumeError(NO_TEXT)
    left_out = tuple(" ".join(clean_text(piece).text.split()) for piece in reading.left_out)
    warnings = (*_warnings_of(reading, found), *found.warnings)
    return replace(found, warnings=warnings, left_out=tuple(filter(None, left_out)))


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


def _read_in_child(kind: str, data: bytes) -> resume_limits.Reading:
    """Parse in a process of its own, few at once. Raises ResumeError within `ANSWER_SECONDS`."""
    asked = time.monotonic()
    if not _slots.acquire(timeout=QUEUE_SECONDS):
        raise ResumeError(BUSY)
    waited = time.monotonic() - asked
    try:
        done = _run_child(kind, data, ANSWER_SECONDS - waited)
    except subprocess.TimeoutExpired:
        # With little time left because of the others, it says nothing about the file.
        raise ResumeError(BUSY if waited > ANSWER_SECONDS / 4 else SLOW) from None
    except OSError:
        raise ResumeError(PROBLEMS["unavailable"]) from None
    finally:
        _slots.release()
    if done.returncode in _KILLED_BY_LIMIT:
        raise ResumeError(SLOW)
    return _parse_reply(kind, done.stdout)


def _run_child(kind: str, data: bytes, seconds: float) -> subprocess.CompletedProcess[bytes]:
    folders = dict.fromkeys((str(_ROOT), *filter(None, sys.path)))
    return subprocess.run(  # noqa: S603 - our own script by absolute path; the file goes in by pipe
        [sys.executable, "-I", str(_READER), kind, *folders],
        input=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=seconds,
        cwd=_READER.parent,
        env={name: os.environ[name] for name in _CHILD_ENVIRONMENT if name in os.environ},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        check=False,
    )


def _parse_reply(kind: str, reply: bytes) -> resume_limits.Reading:
    try:
        fields: dict[str, Any] = json.loads(reply)
        if "error" in fields:
            label = "This PDF" if kind == "pdf" else "This document"
            raise ResumeError(PROBLEMS.get(fields["error"], DAMAGED).format(KIND=label, kind=kind))
        reading = resume_limits.Reading(**fields)
        return replace(reading, left_out=tuple(reading.left_out))
    except (ValueError, TypeError):
        raise ResumeError(DAMAGED) from None


def _warnings_of(reading: resume_limits.Reading, found: ResumeText) -> list[str]:
    notes = [FIRST_PAGES] if reading.pages > resume_limits.PAGES_READ else []
    if reading.unread:
        notes.append(SOME_PAGES.format(read=reading.tried - reading.unread, tried=reading.tried))
    told = {
        HIDDEN: bool(reading.left_out),
        INSTRUCTIONS: bool(found.instructions),
        RECOGNISED: reading.recognised,
        GARBLED: is_garbled(found.text),
    }
    return [*notes, *(note for note, holds in told.items() if holds)]
