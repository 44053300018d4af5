"""What code alone can see in a text: words, numbers, persons, cues. Pure; English cues, any script for words."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_MARKUP = re.compile(r"^\s{0,3}(?:[-*+•▪]|\d+[.)]|#{1,6}|>)\s+|[*_`~]{1,3}(?=\S)|(?<=\S)[*_`~]{1,3}", re.MULTILINE)
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NUMBER = re.compile(
    r"\d|%|[$€£¥₹]|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|twenty|thirty|forty|"
    r"fifty|hundred|thousand|million|half|third|quarter|twice|double[ds]?|tripled?|halved|percent|from .+ to)\b",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"\b(?:i|i'm|i’m|i'd|i’d|i've|i’ve|i'll|i’ll|my|me|mine|myself)\b", re.IGNORECASE)
_CUES = {
    "situation": r"\b(?:when|while|last (?:year|month|week|summer|term)|at my|in my|during|there was|we had)\b",
    "task": r"\b(?:my (?:task|job|role|goal|part)|i (?:had|needed|was asked|wanted) to|responsible for)\b",
    "action": r"\bi (?:then |first |also |decided to )?(?:\w+ed|built|wrote|led|ran|made|took|set|began|spoke)\b",
    "result": r"\b(?:as a result|in the end|so that|resulted?|outcome|finally|since then|which meant|led to)\b",
}


def clean(text: str) -> str:
    """NFKC, without control, invisible and direction-changing characters."""
    return _CONTROL.sub("", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))).strip()


def plain(text: str) -> str:
    """The words without their dress (bullets, emphasis, emoji, repeated spaces), so that form earns nothing."""
    bare = _MARKUP.sub("", clean(text))
    bare = "".join(c for c in bare if unicodedata.category(c) not in ("So", "Cs", "Co"))
    return re.sub(r"\s+", " ", bare).strip()


def folded(text: str) -> str:
    """For finding a quote in an answer: case, quotation marks, dashes and edge punctuation do not matter."""
    same = plain(text).casefold().replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    return re.sub(r"[–—]", "-", same).strip(" .,;:!?\"'…")


def words(text: str) -> list[str]:
    """Words of any script; where words are not spaced, two characters count as one word."""
    found: list[str] = []
    for word in _WORD.findall(text):
        unspaced = len(_UNSPACED.findall(word))
        found += [word[i : i + 2] for i in range(0, len(word), 2)] if unspaced > len(word) / 2 else [word]
    return found


def has_number(text: str) -> bool:
    return bool(_NUMBER.search(text))


def has_first_person(text: str) -> bool:
    return bool(_FIRST_PERSON.search(text))


def star_cues(text: str) -> dict[str, bool]:
    """Which parts of a story the wording points to. A cue, never a mark."""
    return {part: bool(re.search(pattern, text, re.IGNORECASE)) for part, pattern in _CUES.items()}
