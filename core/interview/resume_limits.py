"""What the reading of a file promises and how much it may take. Only the standard library is imported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

Problem = Literal["password", "scan", "damaged", "bomb", "pages", "type", "hidden", "unavailable"]

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

TINY_POINTS = 2.0  # smaller letters are there for machines, not for people
MOST_LEFT_OUT, LONGEST_LEFT_OUT = 10, 200  # pieces, characters of each

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


class CannotRead(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem: Problem = problem


@dataclass(frozen=True)
class Reading:
    """What a file says to people's eyes.

    `pages` is the page count of the file (0 for DOCX), `tried` how many were opened, `unread` how many of those
    gave no text. `left_out` is text that a reader would not see, in pieces. `recognised` tells that a page is a
    picture whose words a program has read.
    """

    text: str
    pages: int = 0
    tried: int = 0
    unread: int = 0
    left_out: tuple[str, ...] = ()
    recognised: bool = False


def count_words(text: str) -> int:
    return len(_WORD.findall(text))


def pieces(hidden: str) -> tuple[str, ...]:
    """The lines of what was left out: each once, short enough to be shown, and not too many."""
    lines = (" ".join(line.split()) for line in hidden[:MAX_CHARACTERS].splitlines())
    return tuple(dict.fromkeys(line[:LONGEST_LEFT_OUT] for line in lines if line))[:MOST_LEFT_OUT]
