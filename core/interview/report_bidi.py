"""Right-to-left lines for a printer that only knows left to right: letters joined, then put in visual order.

Enough for paragraphs and for words of one direction inside the other; deeper nesting keeps its words but not
always their order. Pure.
"""

from __future__ import annotations

import unicodedata
from functools import cache

_RIGHT = frozenset({"R", "AL"})
_LEFT = frozenset({"L", "EN", "AN", "ET"})  # numbers with their signs read as numbers
_BRACKETS = "()[]{}<>«»"
_MIRRORED = str.maketrans(_BRACKETS, ")(][}{><»«")
_PRESENTATION = (*range(0xFB50, 0xFDFE), *range(0xFE70, 0xFEFD))
_TATWEEL = "\u0640"


def is_right_to_left(text: str) -> bool:
    """Does any letter of it run from right to left?"""
    return any(unicodedata.bidirectional(c) in _RIGHT for c in text)


def begins_right_to_left(text: str) -> bool:
    """The direction of a paragraph is that of its first letter."""
    first = next((way for c in text if (way := unicodedata.bidirectional(c)) in ("L", "R", "AL")), "L")
    return first in _RIGHT


def joined(text: str) -> str:
    """Arabic letters in the form that their neighbours ask for."""
    forms = _forms()
    shown: list[str] = []
    letters = _ligated(text)
    for place, letter in enumerate(letters):
        own = forms.get(letter, {})
        before = _neighbour(letters, place, -1)
        after = _neighbour(letters, place, 1)
        to_left = _joins(before, "initial") and "final" in own
        to_right = _joins(after, "final") and "initial" in own
        form = {(True, True): "medial", (True, False): "final", (False, True): "initial"}.get(
            (to_left, to_right), "isolated"
        )
        shown.append(own.get(form) or own.get("isolated") or letter)
    return "".join(shown)


def visual(line: str, right_to_left: bool) -> str:
    """One line in the order in which its characters stand on paper, from the left."""
    runs: list[tuple[bool, list[str]]] = []
    for cluster, is_right in zip(_clusters(line), _directions(line, right_to_left), strict=True):
        if not runs or runs[-1][0] != is_right:
            runs.append((is_right, []))
        runs[-1][1].append(cluster)
    shown = [
        "".join(c.translate(_MIRRORED) for c in reversed(run)) if right else "".join(run) for right, run in runs
    ]
    return "".join(reversed(shown) if right_to_left else shown)


def _clusters(line: str) -> list[str]:
    """Characters with the marks that stand on them, which stay behind their letter in either order."""
    found: list[str] = []
    for character in line:
        if found and unicodedata.category(character) == "Mn":
            found[-1] += character
        else:
            found.append(character)
    return found


def _directions(line: str, right_to_left: bool) -> list[bool]:
    """For each cluster whether it runs from right to left; what has no direction follows its neighbours."""
    clusters = _clusters(line)
    known: list[bool | None] = []
    for cluster in clusters:
        way = unicodedata.bidirectional(cluster[0])
        known.append(True if way in _RIGHT else False if way in _LEFT else None)
    ways: list[bool] = []
    for place, own in enumerate(known):
        before = ways[-1] if ways else right_to_left
        after = next((way for way in known[place:] if way is not None), right_to_left)
        between = before if before == after else right_to_left
        if clusters[place] in _BRACKETS:
            between = right_to_left  # both of a pair go with the line
        ways.append(between if own is None else own)
    return ways


def _ligated(text: str) -> list[str]:
    """Characters, with lam and alef taken together as Arabic demands."""
    pairs = {base for base in _forms() if len(base) == 2}
    found: list[str] = []
    place = 0
    while place < len(text):
        size = 2 if text[place : place + 2] in pairs else 1
        found.append(text[place : place + size])
        place += size
    return found


def _neighbour(letters: list[str], place: int, step: int) -> str:
    """The next letter that way, past the marks that stand on letters."""
    place += step
    while 0 <= place < len(letters) and unicodedata.category(letters[place][0]) == "Mn":
        place += step
    return letters[place] if 0 <= place < len(letters) else ""


def _joins(letter: str, form: str) -> bool:
    return letter == _TATWEEL or form in _forms().get(letter, {})


@cache
def _forms() -> dict[str, dict[str, str]]:
    """For each Arabic letter, and for lam with alef, the characters that Unicode has for its forms."""
    found: dict[str, dict[str, str]] = {}
    for code in _PRESENTATION:
        kind, *bases = unicodedata.decomposition(chr(code)).split() or [""]
        base = "".join(chr(int(each, 16)) for each in bases)
        is_lam_alef = len(base) == 2 and base[0] == "\u0644" and base[1] in "\u0622\u0623\u0625\u0627"
        if kind and (len(base) == 1 or is_lam_alef):
            found.setdefault(base, {}).setdefault(kind.strip("<>"), chr(code))
    return found
