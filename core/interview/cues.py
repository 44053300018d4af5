"""What the wording of one answer shows. Counted, never judged: cues for the candidate, no part of any score."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.interview import text
from core.interview.model import Turn

_NOT_A_SORT = (
    r"(?<!this )(?<!that )(?<!what )(?<!which )(?<!any )(?<!some )"
    r"(?<!the )(?<!every )(?<!same )(?<!other )"
)
_WE = re.compile(r"\b(?:we|us|our|ours|ourselves)\b", re.IGNORECASE)
_HEDGE = re.compile(
    rf"\b(?:maybe|perhaps|probably|possibly|presumably|somewhat|somehow|i guess|i think|i suppose|i feel like|"
    r"i believe|more or less|to some extent|in a way|not (?:really |quite |so )?sure|a little bit|just a bit|"
    rf"might have|could have|i would say|{_NOT_A_SORT}(?:kind|sort) of)\b",
    re.IGNORECASE,
)
# "I would like to" and "I said that I would" are no invented deeds.
_HYPOTHETICAL = re.compile(
    r"(?<!that )(?<!if )(?<!said )(?<!knew )(?<!thought )(?<!hoped )(?<!what )\b(?:i|we)(?: would|['’]d| might)"
    r" (?:not |first |then |also |always |probably |just |try to |have to |need to )?"
    r"(?!(?:like|love|say|argue|describe|have|better|rather|been|had|gone|made|done|seen|taken|given|got|found|known|"
    r"written|left|lost|kept|built|met|sent|told|thought|\w+ed|call (?:it|this|that|myself))\b)[a-z]+\b",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"\b(?:u+m+|u+h+|e+r+m*|h+m+|you know|i mean|basically|literally|actually|so yeah|or whatever|and stuff)\b|"
    r"(?:,|\band|\bwas|\bwere|\bit['’]s) like,|, like\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Cues:
    """Counts over one answer. `seconds` is from the question's appearance to the answer; None where unknown.

    Where the answer is in a language that the cues do not know, `known` is False and only `words` and `seconds`
    mean anything. `fillers` are counted in spoken answers alone. `star` says which parts of a story are worded.
    """

    known: bool
    words: int
    seconds: float | None
    numbers: int = 0
    first_person: int = 0
    we: int = 0
    hedges: int = 0
    hypotheticals: int = 0
    fillers: int = 0
    star: Mapping[str, bool] = field(default_factory=dict)


def read(turn: Turn) -> Cues:
    answer = turn.answer
    count = len(text.words(answer))
    seconds = None
    if turn.asked_at is not None and turn.answered_at is not None:
        seconds = max(0.0, turn.answered_at - turn.asked_at)
    if not text.is_english(answer):
        return Cues(False, count, seconds)
    return Cues(
        known=True,
        words=count,
        seconds=seconds,
        numbers=len(text.numbers(answer)),
        first_person=len(text.first_persons(answer)),
        we=len(_WE.findall(answer)),
        hedges=len(hedges(answer)),
        hypotheticals=len(hypotheticals(answer)),
        fillers=len(fillers(answer)) if turn.spoken else 0,
        star=text.star_cues(answer),
    )


def hedges(written: str) -> list[str]:
    return _HEDGE.findall(written)


def hypotheticals(written: str) -> list[str]:
    """Deeds that are only imagined."""
    return _HYPOTHETICAL.findall(written)


def fillers(written: str) -> list[str]:
    return _FILLER.findall(written)
