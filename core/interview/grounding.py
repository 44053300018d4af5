"""Numbers in what a model writes: only those that the candidate said may stand. Pure.

Digits of every script, currencies and percentages count, and number words in English and Chinese characters;
number words of other languages are not known. That a number was said does not show that it is used rightly.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.interview import text

YOURS = "[your number]"
_SMALL = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_TEENS = ("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_PARTS = {"half": 0.5, "halved": 0.5, "halving": 0.5, "quarter": 0.25, "twice": 2, "double": 2, "doubled": 2}
_PARTS |= {"doubling": 2, "triple": 3, "tripled": 3, "tripling": 3, "quadrupled": 4, "tenfold": 10}
_WORDS: dict[str, float] = {word: n for n, word in enumerate((*_SMALL, *_TEENS))}
_WORDS |= {word: 10 * n for n, word in enumerate(_TENS, start=2)} | _PARTS
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_WORD = rf"(?:{'|'.join(sorted((*_WORDS, *_SCALES), key=len, reverse=True))})s?"
_HAN = "〇零一二三四五六七八九十百千万萬億亿両两"
_NUMBER = re.compile(
    r"(?P<before>[$€£¥₹]\s?)?"
    rf"(?P<body>(?<![a-z])[a-z]*\d[a-z\d]*(?:[.,:'’]\d[a-z\d]*)*|[{_HAN}]+|\b{_WORD}(?:(?:\s+and\s+|[\s-]+){_WORD})*\b)"
    r"(?P<after>\s?(?:%|per\s?cent\b|[$€£¥₹]))?",
    re.IGNORECASE,
)
_ALONE = frozenset({"one", "ones", "一"})  # far more often an article or a pronoun than a number
_GROUPED = re.compile(r"(?<=\d)[,'’](?=\d{3}(?!\d))")


@dataclass(frozen=True)
class Number:
    """A number in a text, and what it is: equal keys are the same number in the same unit."""

    start: int
    end: int
    key: str


def numbers(written: str) -> Iterator[Number]:
    """Every number of a text that `text.clean` has cleaned."""
    for found in _NUMBER.finditer(written):
        body = found["body"].casefold()
        before, after = found["before"] or "", found["after"] or ""
        if body in _ALONE and not (before or after):
            continue
        unit = re.sub(r"per\s?cent", "%", (before + after).casefold()).replace(" ", "")
        yield Number(found.start(), found.end(), f"{_value(body)} {unit}".strip())
    for place, character in enumerate(written):
        if unicodedata.category(character) in ("No", "Nl"):
            yield Number(place, place + 1, character)


def is_grounded(written: str, sources: Iterable[str]) -> bool:
    """Does every number of it stand in one of the sources?"""
    return not _foreign(text.clean(written), sources)


def grounded(written: str, sources: Iterable[str]) -> str:
    """The text with [your number] in place of every number that no source holds."""
    shown = text.clean(written)
    for number in sorted(_foreign(shown, sources), key=lambda n: n.start, reverse=True):
        shown = f"{shown[: number.start]}{YOURS}{shown[number.end :]}"
    return shown


def _foreign(cleaned: str, sources: Iterable[str]) -> list[Number]:
    held = {number.key for source in sources for number in numbers(text.clean(source))}
    found: list[Number] = []
    for number in sorted(numbers(cleaned), key=lambda n: (n.start, -n.end)):
        if number.key not in held and not (found and number.start < found[-1].end):
            found.append(number)
    return found


def _value(body: str) -> str:
    """Twelve is 12, and 1,200 is 1200; what is no plain number stands for itself."""
    if not any(c.isdigit() for c in body):
        parts = re.findall(_WORD, body)
        return f"{_counted(parts):g}" if parts and body[0] not in _HAN else body
    plain = "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c for c in body)
    return _GROUPED.sub("", plain)


def _counted(parts: Iterable[str]) -> float:
    whole, current = 0.0, 0.0
    for part in parts:
        word = part if part in _WORDS or part in _SCALES else part.removesuffix("s")
        scale = _SCALES.get(word)
        if scale is None:
            current += _WORDS[word]
        elif scale <= _SCALES["hundred"]:
            current = max(current, 1.0) * scale
        else:
            whole, current = whole + max(current, 1.0) * scale, 0.0
    return whole + current
