"""A DOCX as text: headers, body, tables, text boxes and footers in order, without what Word does not show."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import Any

from core.interview.resume_limits import (
    BODY_BYTES,
    MAX_CHARACTERS,
    ZIP_BYTES,
    ZIP_ENTRIES,
    ZIP_RATIO,
    CannotRead,
    Reading,
    count_words,
    pieces,
)
from core.interview.resume_looks import Looks, W, is_backed, is_shaded

BODY = "word/document.xml"
_NOT_SHOWN = {"pPr", "Fallback", "moveFrom", "del", "instrText"}
_BREAKS = {"br": "\n", "cr": "\n", "tab": "\t", "noBreakHyphen": "-"}


def read_docx(data: bytes) -> Reading:
    """Read headers, body, footers in document order. Raises CannotRead or whatever the parsers raise."""
    _check_zip(data)
    import docx

    document = docx.Document(BytesIO(data))
    roots, looks = _roots(document), Looks(document.styles.element)
    backed = is_backed([document.element, *roots])
    texts, hidden = [], []
    for root in roots:
        walk = _Walk(looks)
        walk.visit(root, backed)
        texts.append("".join(walk.shown))
        hidden.append("".join(walk.hidden))
    # One header is often stored again for first and even pages.
    text, left_out = "\n".join(dict.fromkeys(texts))[:MAX_CHARACTERS], pieces("\n".join(hidden))
    if left_out and not count_words(text):
        raise CannotRead("hidden")
    return Reading(text, left_out=left_out)


def _check_zip(data: bytes) -> None:
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
    """Collects the text of an XML tree; lxml refuses trees deeper than 256, so recursion is safe."""

    def __init__(self, looks: Looks) -> None:
        self.shown: list[str] = []
        self.hidden: list[str] = []
        self._looks = looks
        self._size = 0

    def visit(self, element: Any, backed: bool) -> None:
        """`backed` tells that something may be painted behind the text, so that white letters can be read."""
        if self._size > MAX_CHARACTERS or not isinstance(element.tag, str):
            return
        name = element.tag.rpartition("}")[2]
        if name in _NOT_SHOWN:
            return
        if name == "r" and self._looks.are_hidden(element, backed):
            self._hide("".join(map(_words, element.iter())))
            return
        if name == "t":
            self._show(element.text or "")
        elif name == "txbxContent":
            self._show("\n")
        elif name in _BREAKS:
            self._show(_BREAKS[name])
        behind = backed or name == "txbxContent" or is_shaded(element, name) or self._looks.shade(element, name)
        for child in element:
            self.visit(child, behind)
        self._end(element, name)

    def _end(self, element: Any, name: str) -> None:
        if name == "p":
            self._show("\t" if _is_short_cell(element.getparent()) else "\n")
            if self.hidden and not self.hidden[-1].endswith("\n"):
                self._hide("\n")
        elif name == "tr":
            self._show("\n")

    def _show(self, text: str) -> None:
        self.shown.append(text)
        self._size += len(text)

    def _hide(self, text: str) -> None:
        self.hidden.append(text)
        self._size += len(text)


def _words(element: Any) -> str:
    name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
    return element.text or "" if name == "t" else _BREAKS.get(name, "")


def _is_short_cell(parent: Any) -> bool:
    """A cell of one paragraph stays on the line of its row; a layout table's long cells do not."""
    if parent is None or parent.tag != f"{W}tc":
        return False
    return len(parent.findall(f"{W}p")) == 1 and parent.find(f"{W}tbl") is None
