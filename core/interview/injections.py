"""Sentences that talk to a grader or a model instead of answering. Pure; found by their wording alone.

What is found is left out, never punished. A list of wordings is never complete: an order in words that nobody
thought of still stands in the answer, and then only the checks of its quotes hold it back.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.interview import injection_words, text

GAP = " … "  # stands for what was cut, so that no quote reaches across
OWN_WORDS = 8  # so many words before an order begins are the candidate's own sentence, which goes on without it
FEWEST_NAMED = 3  # words
_SENTENCE = re.compile(r"[^\s].*?(?:[.!?]+(?=[\"”’')\]]*\s|$)[\"”’')\]]*|[。！？]|$)", re.MULTILINE)
_LETTERS_APART = re.compile(r"(?:\b[^\W\d_]\b[\W_]{1,3}){7,}[^\W\d_]\b")
_ENCODED = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_LOOKALIKE = str.maketrans(
    "аеорсухіјѕԁԛԝмткнвАЕОРСУХІЈЅМТКНВαονικρτυ", "aeopcyxijsdqwmtkhbAEOPCYXIJSMTKHBaovikptu"
)
_DIGITS_AS_LETTERS = str.maketrans("013457@$!|", "oieastasil")
_MIXED = re.compile(r"\b(?=\w*[A-Za-z])(?=\w*[0-9@$])[\w@$]{3,}\b")


@dataclass(frozen=True)
class Span:
    """`words` are text[start:end] of the text that was searched."""

    start: int
    end: int
    words: str


def flagged(text: str, named: Iterable[str] = ()) -> tuple[Span, ...]:
    """The passages that try to instruct whoever grades, in order and apart from each other.

    Whole sentences, or the rest of one in which somebody's own words come first; a forged frame (a role header, a
    tag) takes the rest of its line along. `named` are words that a model pointed at: they count where they stand
    in the text and could be an order.
    """
    found = [*_frames(text)]
    for start, end in _sentences(text):
        begin = _order(text[start:end])
        if begin is not None:
            found.append((start + begin, end))
    for words in named:
        found += _pointed_at(text, words)
    return _merged(text, found)


def passages(text: str, words: Iterable[str]) -> tuple[Span, ...]:
    """Where these words stand, however dressed: the spans of what was left out when the answer was graded."""
    sought = [_dressed(one) for one in words if one.strip()]
    return _merged(text, [match.span(1) for one in sought for match in one.finditer(text)])


def without(text: str, spans: Sequence[Span]) -> str:
    """The text with a mark in place of each span."""
    kept, at = [], 0
    for span in spans:
        kept.append(text[at : span.start].rstrip())
        at = span.end
    rest = text[at:].lstrip(" ") if spans else text
    return GAP.join([*kept, rest]).strip() if spans else text


def _sentences(written: str) -> Iterator[tuple[int, int]]:
    for match in _SENTENCE.finditer(written):
        yield match.span()


def _frames(written: str) -> Iterator[tuple[int, int]]:
    for match in injection_words.FRAME.finditer(written):
        line_end = written.find("\n", match.end())
        yield match.start(), len(written) if line_end < 0 else line_end


def _order(sentence: str) -> int | None:
    """Where an order begins in the sentence; 0 where it starts it or only another reading shows it."""
    places = [m.start() for order in injection_words.ORDERS if (m := order.search(sentence))]
    if places:
        begin = min(places)
        return begin if len(text.words(sentence[:begin])) >= OWN_WORDS else 0
    readings = list(_readings(sentence))
    is_order = any(order.search(reading) for reading in readings for order in injection_words.ORDERS)
    apart = _LETTERS_APART.search(sentence)
    is_spelt = apart and injection_words.SPELT.search(re.sub(r"[\W_]", "", sentence).casefold())
    return 0 if is_order or is_spelt else None


def _readings(sentence: str) -> Iterator[str]:
    """The sentence as a model may read it: without disguise of letters, dress or code."""
    bare = text.clean(html.unescape(sentence)).translate(_LOOKALIKE)
    spaced = re.sub(r"\s+", " ", re.sub(r"(?<=\w)[_\-–+.*~/\\]+(?=\w)", " ", re.sub(r"[*`~#>]", "", bare))).strip()
    yield spaced
    if _MIXED.search(bare):
        yield _MIXED.sub(lambda m: m.group().translate(_DIGITS_AS_LETTERS), bare)
    for lump in _ENCODED.findall(bare):
        try:
            yield base64.b64decode(lump + "=" * (-len(lump) % 4), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue


def _pointed_at(written: str, words: str) -> list[tuple[int, int]]:
    found = text.words(words)
    if len(found) < FEWEST_NAMED or (text.is_english(written) and not injection_words.ADDRESS.search(words)):
        return []
    match = _dressed(words).search(written)
    if match is None:
        return []
    return [(s, e) for s, e in _sentences(written) if s < match.end(1) and match.start() < e]


def _dressed(words: str) -> re.Pattern[str]:
    """Finds, as group 1, the words with whatever bullets, emphasis and spaces there are between them."""
    inner = r"[\W_]{0,12}".join(map(re.escape, text.words(words)))
    return re.compile(rf"(?=({inner or re.escape(words.strip())}))", re.IGNORECASE)  # so that matches may overlap


def _merged(written: str, places: Iterable[tuple[int, int]]) -> tuple[Span, ...]:
    """In order; what overlaps or has only space between becomes one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if joined and not written[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(Span(start, end, written[start:end]) for start, end in joined)
