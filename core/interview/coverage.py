"""Which key points of a question an answer touches, by its wording alone. Pure; a cue, never a mark.

A key point counts as touched where two neighbouring sentences share enough of its rarer letter sequences (three to
five letters, weighted by how rare they are in all key points of the bank). What the question says already is no
merit of the answer, so that repeating it touches nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from math import fsum, log

from core.interview import gate, injections, text
from core.interview.model import Question
from core.interview.questions import bank

THRESHOLD = 0.25  # of a key point's weight; chosen on answers of our own writing
LEAST_NEW = 0.2  # of a key point's weight, beyond the question; with less nobody could tell it from parroting
SHORTEST, LONGEST = 3, 5  # letters
WINDOW = 2  # sentences
_COMMON = re.compile(
    r"an?|and|are|as|at|be|been|but|by|can|could|did|do|does|for|from|had|has|have|he|her|him|his|how|i|if|in|into|"
    r"is|it|its|just|me|more|most|my|no|not|of|on|one|or|our|out|own|she|so|some|such|than|that|the|their|them|then|"
    r"there|these|they|this|those|to|too|up|us|was|we|were|what|when|where|which|while|who|why|will|with|would|your?"
)


@dataclass(frozen=True)
class Point:
    """A key point; `share` (0 to 1) is how much of its wording the closest passage has."""

    text: str
    touched: bool
    share: float


def points(question: Question, answer: str) -> tuple[Point, ...]:
    """The question's key points in order, without those that say no more than the question itself.

    None for an answer in another language, of which nothing can be said.
    """
    own = gate.assessed(injections.without(answer, injections.flagged(answer)))
    if not text.is_english(own):
        return ()
    known = _grams(question.text)
    parts = text.sentences(own)
    windows = [_grams(" ".join(parts[n : n + WINDOW])) for n in range(max(1, len(parts) - WINDOW + 1))]
    found = []
    for point in question.key_points:
        new = _grams(point) - known
        whole = _weight(new)
        if whole and whole >= LEAST_NEW * _weight(_grams(point)):
            share = max(_weight(new & window) for window in windows) / whole
            found.append(Point(point, share >= THRESHOLD, share))
    return tuple(found)


def _weight(grams: Iterable[str]) -> float:
    rarity = _rarity()
    rarest = log(len(rarity))
    return fsum(rarity.get(gram, rarest) for gram in grams)


def _grams(written: str) -> frozenset[str]:
    """Letter sequences within words, word edges included; words that stand everywhere are left out."""
    found: set[str] = set()
    for word in re.findall(r"[^\W_]+", written.casefold()):
        if not _COMMON.fullmatch(word):
            edged = f" {word} "
            found |= {
                edged[n : n + size] for size in range(SHORTEST, LONGEST + 1) for n in range(len(edged) - size + 1)
            }
    return frozenset(found)


@cache
def _rarity() -> Mapping[str, float]:
    said = [_grams(point) for question in bank() for point in question.key_points]
    counts = Counter(gram for grams in said for gram in grams)
    return {gram: log((1 + len(said)) / (1 + count)) for gram, count in counts.items()}
