"""What code alone can see in a text: words, numbers, persons, cues. Pure; English cues, any script for words."""

from __future__ import annotations

import re
import unicodedata

JOINERS = "\u200c\u200d"  # shape letters in Persian and Indic scripts, so they are part of what was written
# Vowel signs and accents are not letters to \w, but the word goes on across them.
_MARKS = "".join(c for c in map(chr, range(0x300, 0x1E00)) if unicodedata.category(c).startswith("M")) + JOINERS
_WORD = re.compile(rf"[^\W_][\w{_MARKS}]*(?:['’-][^\W_][\w{_MARKS}]*)*")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
_BULLET = re.compile(r"^\s{0,3}(?:[-*+•▪]|\d{1,2}[.)]|#{1,6}|>)\s+", re.MULTILINE)
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3}|_{1,3}|~~|`)(?=\S)(.{1,200}?)(?<=\S)\1(?![\w*])")
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
_NUMBER = re.compile(
    r"\d|%|[$€£¥₹]|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|twenty|thirty|forty|"
    r"fifty|hundred|thousand|million|half|third|quarter|twice|double[ds]?|tripled?|halved|percent|from .+ to)\b",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"\b(?:i|i['’](?:m|d|ve|ll)|my|me|mine|myself)\b", re.IGNORECASE)
_COMMON = re.compile(
    r"the|and|to|of|it|that|for|with|my|they|you|at|but|have|this|because|were|from|not|an|which|there|when|then|i",
    re.IGNORECASE,
)
_CUES = {
    "situation": r"\b(?:when|while|last (?:year|month|week|summer|term)|at my|in my|during|there was|we had)\b",
    "task": r"\b(?:my (?:task|job|role|goal|part)|i (?:had|needed|was asked|wanted) to|responsible for)\b",
    "action": r"\bi (?:then |first |also |decided to )?(?:\w+ed|built|wrote|led|ran|made|took|set|began|spoke)\b",
    "result": r"\b(?:as a result|in the end|so that|resulted?|outcome|finally|since then|which meant|led to)\b",
}


def clean(text: str) -> str:
    """NFKC, without control, invisible and direction-changing characters."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if _is_kept(c)).strip()


def plain(text: str) -> str:
    """The words without their dress (bullets, emphasis, emoji, repeated spaces), so that form earns nothing."""
    bare = _EMPHASIS.sub(r"\2", _BULLET.sub("", clean(text)))
    bare = "".join(c for c in bare if unicodedata.category(c) != "So")
    return re.sub(r"\s+", " ", bare).strip()


def unrepeated(text: str) -> str:
    """Each sentence once, so that saying it again earns nothing."""
    sentences = re.split(r"(?<=[.!?。！？])\s*(?=\S)", text)
    return " ".join(dict.fromkeys(sentence.strip() for sentence in sentences))


def folded(text: str) -> str:
    """For finding a quote in an answer: case, quotation marks, dashes and edge punctuation do not matter."""
    same = plain(text).casefold().replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    return _DASHES.sub("-", same).strip(" .,;:!?\"'…")


def holds(whole: str, quote: str) -> bool:
    """Does the quote stand as whole words in a text that is folded already? An empty quote stands nowhere."""
    sought = folded(quote)
    if not sought:
        return False
    starts = rf"(?<![\w{_MARKS}])" if _is_spaced_letter(sought[0]) else ""
    ends = rf"(?![\w{_MARKS}])" if _is_spaced_letter(sought[-1]) else ""
    return re.search(starts + re.escape(sought) + ends, whole) is not None


def words(text: str) -> list[str]:
    """Words of any script; where words are not spaced, two characters count as one word."""
    found: list[str] = []
    for word in _WORD.findall(text):
        unspaced = len(_UNSPACED.findall(word))
        found += [word[i : i + 2] for i in range(0, len(word), 2)] if unspaced > len(word) / 2 else [word]
    return found


def is_english(text: str) -> bool:
    """By its commonest words; what is too short to tell counts as English."""
    found = words(text)
    return len(found) < 8 or sum(bool(_COMMON.fullmatch(word)) for word in found) >= len(found) / 10


def has_number(text: str) -> bool:
    return bool(_NUMBER.search(text))


def has_first_person(text: str) -> bool:
    return bool(_FIRST_PERSON.search(text))


def star_cues(text: str) -> dict[str, bool]:
    """Which parts of a story the wording points to. A cue, never a mark."""
    return {part: bool(re.search(pattern, text, re.IGNORECASE)) for part, pattern in _CUES.items()}


def _is_kept(character: str) -> bool:
    return character in "\n\t" or character in JOINERS or not unicodedata.category(character).startswith("C")


def _is_spaced_letter(character: str) -> bool:
    return character.isalnum() and not _UNSPACED.match(character)
