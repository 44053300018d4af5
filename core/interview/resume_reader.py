"""Turns the bytes of a PDF or DOCX into text. Runs as a child process, started by path.

In: the file on standard input, its kind as first argument, import folders as the others.
Out: one JSON object on standard output, a `Reading` or `{"error": code}` with a code of `Problem`.
Only the standard library is imported at the top, so that the parent can share the limits and the codes.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import zipfile
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any, Literal

Problem = Literal["password", "scan", "damaged", "bomb", "pages", "type", "unavailable"]
Outcome = Literal["text", "wordless", "blank", "damaged", "bomb"]

MAX_FILE_BYTES = 5_000_000
MAX_CHARACTERS = 100_000
PAGES_READ = 10
PAGES_ACCEPTED = 50
SCAN_WORDS = 20
WRAP_CHARACTERS = 40
MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 6

ZIP_ENTRIES = 500
ZIP_BYTES = 30_000_000
BODY_BYTES = 10_000_000
ZIP_RATIO = 100
BODY = "word/document.xml"

PDF_LIMITS: dict[str, Any] = {
    "stream_parsing_work_maximum_count": 200_000,
    "zlib_maximum_output_length": 10_000_000,
    "lzw_maximum_output_length": 10_000_000,
    "run_length_maximum_output_length": 10_000_000,
    "maximum_declared_stream_length": 10_000_000,
    "array_based_stream_maximum_output_length": 10_000_000,
    "stream_decoding_work_maximum_length": 40_000_000,
    "page_tree_maximum_entries": 2_000,
    "array_maximum_element_count": 20_000,
    "xform_maximum_invocations_per_extraction": 200,
    "jbig2dec_binary": None,
}

# Scripts written without spaces count by the character, else a Chinese resume would look like a scan.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")
_OPEN_WORDS = {"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "over", "the", "to", "with"}
_NOT_SHOWN = {"pPr", "Fallback", "moveFrom", "del", "instrText"}
_BREAKS = {"br": "\n", "cr": "\n", "tab": "\t", "noBreakHyphen": "-"}
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


class CannotRead(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem: Problem = problem


@dataclass(frozen=True)
class Reading:
    """`pages` is the page count of the file (0 for DOCX), `tried` how many were opened, `unread` how many
    of those gave no text; `hidden` says that text marked invisible was left out."""

    text: str
    pages: int = 0
    tried: int = 0
    unread: int = 0
    hidden: bool = False


def count_words(text: str) -> int:
    return len(_WORD.findall(text))


def read_pdf(data: bytes) -> Reading:
    """Read the first pages. Raises CannotRead or whatever pypdf raises."""
    from pypdf import PdfReader, overwrite_configuration

    overwrite_configuration(**PDF_LIMITS)
    reader = PdfReader(BytesIO(data), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise CannotRead("password")
    total = _page_count(reader)
    text, outcomes = "", Counter[str]()
    for index in range(min(total, PAGES_READ)):
        outcome, page_text = _read_page(reader, index)
        outcomes[outcome] += 1
        text += page_text + "\n\n"
        if len(text) >= MAX_CHARACTERS:
            break
    tried = outcomes.total() - outcomes["blank"]
    if tried and outcomes["damaged"] + outcomes["bomb"] == tried:
        raise CannotRead("bomb" if outcomes["bomb"] else "damaged")
    if count_words(text) < SCAN_WORDS:
        raise CannotRead("scan")
    return Reading(_join_wrapped(text[:MAX_CHARACTERS]), total, tried, unread=tried - outcomes["text"])


def _read_page(reader: Any, index: int) -> tuple[Outcome, str]:
    from pypdf.errors import LimitReachedError

    try:
        page = reader.pages[index]
        text = page.extract_text()
        if count_words(text):
            return "text", text
        return ("blank" if _is_blank(page) else "wordless"), ""
    except (LimitReachedError, MemoryError):
        return "bomb", ""
    except Exception:  # noqa: BLE001 - pypdf raises anything on broken pages; the other pages may be fine
        return "damaged", ""


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


def read_docx(data: bytes) -> Reading:
    """Read headers, body, footers in document order. Raises CannotRead or whatever the parsers raise."""
    check_zip(data)
    import docx

    texts, hidden = [], False
    for root in _roots(docx.Document(BytesIO(data))):
        walk = _Walk()
        walk.visit(root)
        texts.append("".join(walk.pieces))
        hidden = hidden or walk.hidden
    # One header is often stored again for first and even pages.
    return Reading("\n".join(dict.fromkeys(texts))[:MAX_CHARACTERS], hidden=hidden)


def check_zip(data: bytes) -> None:
    """Raise CannotRead unless every entry unpacks to what the directory says, within the limits."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        entries = archive.infolist()
        if not any(entry.filename == BODY for entry in entries):
            raise CannotRead("type")
        if any(entry.flag_bits & 1 for entry in entries):
            raise CannotRead("password")
        declared = sum(entry.file_size for entry in entries)
        body = max(entry.file_size for entry in entries if entry.filename == BODY)
        if len(entries) > ZIP_ENTRIES or declared > min(ZIP_BYTES, ZIP_RATIO * len(data)) or body > BODY_BYTES:
            raise CannotRead("bomb")
        for entry in entries:
            _check_real_size(archive, entry)


def _check_real_size(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    # The declared size may lie: read by small pieces it cannot fill the memory, and the checksum finds the lie.
    real = 0
    with archive.open(entry) as stream:
        while piece := stream.read(65_536):
            real += len(piece)
    is_parsed = entry.filename.endswith((".xml", ".rels"))
    if is_parsed and real > ZIP_RATIO * max(entry.compress_size, 1_000):
        raise CannotRead("bomb")


def _roots(document: Any) -> list[Any]:
    """The XML trees that hold text: headers, the body, footers."""
    linked = [rel for rel in document.part.rels.values() if not rel.is_external]
    edges = [(rel.reltype.rpartition("/")[2], rel.target_part) for rel in linked]
    headers = [part.element for kind, part in edges if kind == "header"]
    footers = [part.element for kind, part in edges if kind == "footer"]
    return [*headers, document.element.body, *footers]


class _Walk:
    """Collects the visible text of an XML tree; lxml refuses trees deeper than 256, so recursion is safe."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.size = 0
        self.hidden = False

    def add(self, text: str) -> None:
        self.pieces.append(text)
        self.size += len(text)

    def visit(self, element: Any) -> None:
        if self.size > MAX_CHARACTERS or not isinstance(element.tag, str):
            return
        name = element.tag.rpartition("}")[2]
        if name in _NOT_SHOWN:
            return
        if name == "r" and _is_hidden(element):
            self.hidden = self.hidden or any(True for _ in element.iter(f"{_W}t"))
            return
        if name == "t":
            self.add(element.text or "")
        elif name == "txbxContent":
            self.add("\n")
        elif name in _BREAKS:
            self.add(_BREAKS[name])
        for child in element:
            self.visit(child)
        if name == "p":
            self.add("\t" if _is_short_cell(element.getparent()) else "\n")
        elif name == "tr":
            self.add("\n")


def _is_hidden(run: Any) -> bool:
    mark = run.find(f"{_W}rPr/{_W}vanish")
    return mark is not None and mark.get(f"{_W}val") not in ("0", "false", "off")


def _is_short_cell(parent: Any) -> bool:
    """A cell of one paragraph stays on the line of its row; a layout table's long cells do not."""
    if parent is None or parent.tag != f"{_W}tc":
        return False
    return len(parent.findall(f"{_W}p")) == 1 and parent.find(f"{_W}tbl") is None


def _limit_resources() -> None:
    try:
        import resource
    except ImportError:  # Windows: the parent's clock and the size limits remain
        return
    limits = {resource.RLIMIT_AS: MEMORY_BYTES, resource.RLIMIT_CPU: CPU_SECONDS, resource.RLIMIT_CORE: 0}
    for kind, amount in limits.items():
        with suppress(ValueError, OSError):  # macOS knows RLIMIT_AS and refuses it
            resource.setrlimit(kind, (amount, amount))


def _answer(kind: str, data: bytes) -> dict[str, Any]:
    try:
        return asdict(read_pdf(data) if kind == "pdf" else read_docx(data))
    except CannotRead as refusal:
        return {"error": refusal.problem}
    except MemoryError:
        return {"error": "bomb"}
    except ImportError:
        return {"error": "unavailable"}
    except BaseException:  # noqa: BLE001 - a parser fed by strangers may raise anything; the parent gets a code
        return {"error": "damaged"}


def main() -> None:
    _limit_resources()
    logging.disable(logging.CRITICAL)
    # Isolated mode hides packages installed per user or by PYTHONPATH; the parent names its own folders.
    sys.path.extend(folder for folder in sys.argv[2:] if folder not in sys.path)
    data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    sys.stdout.buffer.write(json.dumps(_answer(sys.argv[1], data)).encode("ascii"))


if __name__ == "__main__":
    main()
