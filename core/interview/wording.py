"""What a question may sound like, whoever wrote it: us, or a model on our behalf. Pure."""

from __future__ import annotations

import re

SHORTEST, LONGEST = 40, 260  # characters
# What may not be asked of a candidate; a patient or customer in a scene may well be pregnant or devout.
BANNED = re.compile(
    r"\b((are|were) you (pregnant|married|single|religious|disabled|ill)"
    r"|how old are you|do you have (children|a partner)"
    r"|your (age|birth\w*|family|children|spouse|wife|husband|health|illness|disability|pregnancy"
    r"|religio\w*|faith|nationality|ethnicity|origins?|accent|native language)|where are you from"
    r"|your (password|passport|bank|credit card|home address|phone|e-?mail address|salary)\b"
    r"|rock ?stars?|ninjas?|gurus?|guys|manpower|synerg\w*)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?:|www\.|@|\b[\w-]+\.(?:com|org|net|io|dev|ai|app|co)\b", re.IGNORECASE)
_MARKUP = re.compile(r"[<>{}\[\]|\\`*_#~$^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f]")


def banned(text: str) -> str:
    """The words in it that no candidate should read; empty if there are none."""
    hit = BANNED.search(text)
    return hit.group() if hit else ""


def faults(text: str) -> tuple[str, ...]:
    """What is wrong with this text as a question to a candidate; empty if nothing is."""
    found = []
    if not SHORTEST <= len(text) <= LONGEST:
        found.append(f"text has {len(text)} characters, allowed {SHORTEST} to {LONGEST}")
    if text != text.strip():
        found.append("text has edge spaces")
    if text.count("?") != 1 or re.search(r"[？؟]", text):
        found.append("text needs exactly one question mark")
    if hit := banned(text):
        found.append(f"banned wording {hit!r}")
    if any(character.isdigit() for character in text):
        found.append("text holds a digit; numbers are the candidate's to give")
    if _ADDRESS.search(text):
        found.append("text holds an address")
    if _MARKUP.search(text):
        found.append("text holds markup or control characters")
    return tuple(found)


def words(text: str) -> frozenset[str]:
    """Its words in lower case, each once."""
    return frozenset(re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.casefold()))


def are_twins(one: str, other: str) -> bool:
    """Do two questions share so many words that a candidate would take them for the same?"""
    a, b = words(one), words(other)
    return len(a & b) > 0.7 * len(a | b)
