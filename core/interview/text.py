"""What code alone can see in a text: words, numbers, persons, cues. Pure; English cues, any script for words."""

from __future__ import annotations

import re
import unicodedata

JOINERS = "\u200c\u200d"  # shape letters in Persian and Indic scripts, so they are part of what was written
FOREIGN_LETTERS = 0.3  # share of letters of other alphabets beyond which a text is not English
FEWEST_FOREIGN = 2  # words
# Vowel signs and accents are not letters to \w, but the word goes on across them.
_MARKS = "".join(c for c in map(chr, range(0x300, 0x1E00)) if unicodedata.category(c).startswith("M")) + JOINERS
_WORD = re.compile(rf"[^\W_][\w{_MARKS}]*(?:['’-][^\W_][\w{_MARKS}]*)*")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
_BULLET = re.compile(r"^\s{0,3}(?:[-*+•▪]|\d{1,2}[.)]|#{1,6}|>)\s+", re.MULTILINE)
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3}|_{1,3}|~~|`)(?=\S)(.{1,200}?)(?<=\S)\1(?![\w*])")
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
_STOP = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*(?=\S)")
_GROUP = (
    r"(?: of)? (?:the|my|our|their|a|an) (?:team|staff|class|people|colleagues?|group|company|office|night|way)\b"
)
_PACE = (
    r"(?:hourly|daily|weekly|monthly|yearly|never|always|rarely|none|nothing|"
    r"seconds|minutes|hours|days|weeks|months)"
)
# What makes an outcome countable or checkable. Ordinals, names (Q3, B2B) and a mere "one of them" do not.
_NUMBER = re.compile(
    r"(?<![A-Za-z\d])\d[\d.,]*(?!\d|(?:st|nd|rd|th)\b)|%|[$€£¥₹]|"
    r"\b(?:zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|dozens?|hundreds?|"
    r"thousands?|millions?|twice|doubl(?:ed|es|ing)|double|tripled?|halved|percent)\b|"
    r"\bone (?:hour|day|week|month|year|minute|second|percent|in \w+|per)\b|"
    rf"\bhalf\b(?!{_GROUP})|\b(?:a|one) (?:third|quarter)\b(?! (?:party|parties|person|time))|"
    rf"\bthirds\b|\bquarters\b|"
    rf"\bfrom {_PACE}\b.{{0,30}}\bto\b|\bfrom \w+ to {_PACE}\b|"
    r"\bbefore(?: that| this)?,? (?:it|they|we|there|this|that|the|each|every) .{1,60}"
    r"\b(?:after(?:wards)?(?: that| this)?|now),? (?:it|they|we|there|this|that|the|each|every)\b",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"\b(?:i|i['’](?:m|d|ve|ll)|my|me|mine|myself)\b", re.IGNORECASE)
_COMMON = re.compile(
    r"the|and|to|of|it|that|for|with|my|they|you|at|but|have|this|because|were|from|not|an|which|"
    r"there|when|then|i",
    re.IGNORECASE,
)
# Common in other languages written in Latin letters, and no words of English.
_FOREIGN = re.compile(
    r"de|la|un|del|en|der|und|ich|nicht|mit|wir|habe|eine[rnm]?|für|auf|dass|el|los|las|que|con|por|"
    r"para|una|como|les|des|et|est|une|"
    r"dans|pour|nous|avec|je|il|che|di|per|sono|della|ho|nel|uma|não|com|mais|het|een|van|ik|niet|"
    r"dat|się|nie|jest|"
    r"był|moim|że|ve|bir|için|och|att|det|som|jag|ja|jsem|jsme|și|este|din|egy|hogy|nem",
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
    return re.sub(r"\s+", " ", _undressed(text)).strip()


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text as they stand; a point inside of a number or an address ends none."""
    parts = [part for line in text.splitlines() for part in _STOP.split(line)]
    return [part.strip() for part in parts if part.strip()]


def unrepeated(text: str) -> str:
    """The words without their dress, each sentence and line once, so that saying it again earns nothing."""
    bare = (plain(part) for line in _undressed(text).splitlines() for part in _STOP.split(line))
    once: dict[str, str] = {}
    for part in bare:
        once.setdefault(part.casefold().rstrip(" .,;"), part)
    return " ".join(part for part in once.values() if part)


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


def first_words(text: str, most: int) -> str:
    """The text up to the end of its word number `most`, counted as by `words`."""
    count = 0
    for match in _WORD.finditer(text):
        here = len(words(match.group()))
        if count + here > most:
            room = 2 * (most - count) if here > 1 else 0  # only unspaced writing has several words in one match
            return text[: match.start() + room].rstrip()
        count += here
    return text


def is_unspaced(text: str) -> bool:
    """Is most of it written without spaces between words?"""
    letters = sum(c.isalpha() for c in text)
    return len(_UNSPACED.findall(text)) > letters / 2


def is_english(text: str) -> bool:
    """Unless another alphabet or another language's commonest words say otherwise."""
    letters = [c for c in text if c.isalpha()]
    if sum(c > "\u024f" for c in letters) > len(letters) * FOREIGN_LETTERS:
        return False
    found = words(text)
    foreign = sum(bool(_FOREIGN.fullmatch(word)) for word in found)
    return foreign < FEWEST_FOREIGN or foreign <= sum(bool(_COMMON.fullmatch(word)) for word in found)


def numbers(text: str) -> list[str]:
    """What makes something countable or checkable, each as it stands there."""
    return [match.group() for match in _NUMBER.finditer(text)]


def has_number(text: str) -> bool:
    return bool(_NUMBER.search(text))


def first_persons(text: str) -> list[str]:
    return _FIRST_PERSON.findall(text)


def has_first_person(text: str) -> bool:
    return bool(_FIRST_PERSON.search(text))


def star_cues(text: str) -> dict[str, bool]:
    """Which parts of a story the wording points to. A cue, never a mark."""
    return {part: bool(re.search(pattern, text, re.IGNORECASE)) for part, pattern in _CUES.items()}


def own_actions(text: str) -> list[str]:
    """Deeds told as done, in the first person."""
    return re.findall(_CUES["action"], text, re.IGNORECASE)


def _undressed(text: str) -> str:
    bare = _EMPHASIS.sub(r"\2", _BULLET.sub("", clean(text)))
    return "".join(c for c in bare if unicodedata.category(c) != "So")


def _is_kept(character: str) -> bool:
    return character in "\n\t" or character in JOINERS or not unicodedata.category(character).startswith("C")


def _is_spaced_letter(character: str) -> bool:
    return character.isalnum() and not _UNSPACED.match(character)
