"""What a person may see of a model's text: not what it thought aloud. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_THINKING = re.compile(r"<think>.*?</think>|\A\s*<think>.*", re.DOTALL)


def visible_text(text: str) -> str:
    """`text` without a byte-order mark and without what the model thought aloud."""
    return _THINKING.sub("", text.lstrip("\ufeff")).strip()


def visible_pieces(texts: Iterable[str]) -> Iterator[str]:
    """The same for a stream: holds text back only while it may still belong to an opening <think> block."""
    pieces, held = iter(texts), ""
    for piece in pieces:
        held = (held + piece).lstrip("\ufeff\r\n\t ")
        if held.startswith("<think>"):
            held = held.partition("</think>")[2].lstrip() if "</think>" in held else held
        if not held.startswith("<think>") and not "<think>".startswith(held):
            break
    if held and not held.startswith("<think>"):
        yield held
    yield from filter(None, pieces)
