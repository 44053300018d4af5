"""The question bank is data that candidates see, so every entry is checked like code."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

BANK = Path(__file__).resolve().parents[1] / "core" / "interview" / "bank"
TECHNICAL = "technical.toml"

COMPETENCIES = {
    "ownership",
    "problem_solving",
    "communication",
    "teamwork",
    "leadership",
    "adaptability",
    "role_knowledge",
    "motivation",
}
KINDS = {"behavioural", "situational", "technical", "motivation"}
LEVELS = ("junior", "mid", "senior")
FIELDS = {"id", "competency", "kind", "levels", "family", "text", "key_points", "hint", "outline", "probes"}
PROBES = {"E4", "E2", "S4", "D2", "D3"}
# What may not be asked of a candidate; a patient or customer in a scene may well be pregnant or devout.
BANNED = re.compile(
    r"\b((are|were) you (pregnant|married|single|religious|disabled|ill)"
    r"|how old are you|do you have (children|a partner)"
    r"|your (age|birth\w*|family|children|spouse|wife|husband|health|illness|disability|pregnancy"
    r"|religio\w*|faith|nationality|ethnicity|origins?|accent|native language)|where are you from"
    r"|rock ?stars?|ninjas?|gurus?|guys|manpower|synerg\w*)\b",
    re.IGNORECASE,
)
TYPES = {"levels": list, "key_points": list, "probes": dict}  # every other field is a string

Entry = tuple[str, dict[str, Any]]


def _load() -> list[Entry]:
    """Every question with a label "file: id", in file order."""
    found: list[Entry] = []
    for path in sorted(BANK.glob("*.toml")):
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("question", [])
        found += [(f"{path.name}: {row.get('id', f'question {i}')}", row) for i, row in enumerate(rows, 1)]
    return found


def _is_technical(label: str) -> bool:
    return label.startswith(f"{TECHNICAL}:")


def _spoken(row: dict[str, Any]) -> Iterator[str]:
    yield from (row["text"], row["hint"], row["outline"])
    yield from row["key_points"]
    yield from row["probes"].values()


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _shape_faults(row: dict[str, Any]) -> Iterator[str]:
    if set(row) != FIELDS:
        yield f"fields missing {sorted(FIELDS - set(row))}, unknown {sorted(set(row) - FIELDS)}"
    if not re.fullmatch(r"b-[a-z0-9-]{3,38}", str(row.get("id"))):
        yield "id must be b- and 3 to 38 of a-z, 0-9 and -"
    for field in sorted(FIELDS & set(row)):
        wanted = TYPES.get(field, str)
        inner = row[field].values() if isinstance(row[field], dict) else row[field]
        if not isinstance(row[field], wanted) or not all(isinstance(part, str) for part in inner):
            yield f"{field} must be a {wanted.__name__} of text"
    if not isinstance(row.get("probes"), dict) or set(row["probes"]) != PROBES:
        yield f"probes must be exactly {sorted(PROBES)}"


ENTRIES = _load()
WHOLE = [(label, row) for label, row in ENTRIES if not list(_shape_faults(row))]  # the shape test names the rest


def _value_faults(label: str, row: dict[str, Any]) -> Iterator[str]:
    if row["competency"] not in COMPETENCIES:
        yield f"unknown competency {row['competency']!r}"
    if row["kind"] not in KINDS:
        yield f"unknown kind {row['kind']!r}"
    levels = row["levels"]
    if not levels or len(set(levels)) != len(levels) or not set(levels) <= set(LEVELS):
        yield f"levels must be some of {LEVELS}, each once, got {levels!r}"
    if (row["kind"] == "technical") != bool(row["family"]):
        yield "family is for technical questions, and they need one"
    if (row["kind"] == "motivation") != (row["competency"] == "motivation"):
        yield "kind motivation goes with competency motivation and the other way round"
    if row["kind"] != label.partition(".")[0]:
        yield f"kind {row['kind']!r} does not belong in this file"


def _length_faults(row: dict[str, Any]) -> Iterator[str]:
    for field, low, high in (("text", 40, 260), ("hint", 10, 160), ("outline", 40, 500)):
        if not low <= len(row[field]) <= high:
            yield f"{field} has {len(row[field])} characters, allowed {low} to {high}"
    if not 3 <= len(row["key_points"]) <= 5:
        yield f"{len(row['key_points'])} key points, allowed 3 to 5"
    yield from (
        f"key point over 110 characters or empty: {p!r}" for p in row["key_points"] if not 1 <= len(p) <= 110
    )
    yield from (f"text has edge spaces: {t!r}" for t in _spoken(row) if t != t.strip())


def _wording_faults(row: dict[str, Any]) -> Iterator[str]:
    if row["text"].count("?") != 1:
        yield "text needs exactly one question mark"
    for code, probe in row["probes"].items():
        if probe.count("?") != 1 or not probe.endswith("?"):
            yield f"probe {code} needs exactly one question mark, at its end"
        if not 3 <= len(probe.split()) <= 28:
            yield f"probe {code} has {len(probe.split())} words, allowed 3 to 28"
    if len(set(row["probes"].values())) != len(PROBES):
        yield "two probes are the same"
    for text in _spoken(row):
        if hit := BANNED.search(text):
            yield f"banned wording {hit.group()!r} in {text!r}"


def test_the_bank_is_there() -> None:
    assert len(ENTRIES) >= 60, f"{BANK}: {len(ENTRIES)} questions, at least 60 expected"


def test_every_question_has_its_shape() -> None:
    assert [f"{label}: {fault}" for label, row in ENTRIES for fault in _shape_faults(row)] == []


def test_values_are_from_the_closed_lists() -> None:
    assert [f"{label}: {fault}" for label, row in WHOLE for fault in _value_faults(label, row)] == []


def test_lengths_are_within_limits() -> None:
    assert [f"{label}: {fault}" for label, row in WHOLE for fault in _length_faults(row)] == []


def test_wording_is_one_kind_question_at_a_time() -> None:
    assert [f"{label}: {fault}" for label, row in WHOLE for fault in _wording_faults(row)] == []


def test_ids_are_unique_over_all_files() -> None:
    seen = Counter(row["id"] for _, row in WHOLE)
    assert [label for label, row in WHOLE if seen[row["id"]] > 1] == []


def test_no_question_is_asked_twice() -> None:
    sets = [(label, set(_words(row["text"])), " ".join(_words(row["text"]))) for label, row in WHOLE]
    twins = [
        f"{one} ~ {two}"
        for (one, a, plain_a), (two, b, plain_b) in combinations(sets, 2)
        if plain_a == plain_b or len(a & b) > 0.7 * len(a | b)
    ]
    assert twins == []


def test_every_competency_has_choice_at_every_level() -> None:
    count = Counter(
        (row["competency"], level) for label, row in WHOLE if not _is_technical(label) for level in row["levels"]
    )
    thin = [f"{c} x {lv}: {count[c, lv]}" for c in sorted(COMPETENCIES) for lv in LEVELS if count[c, lv] < 4]
    assert thin == [], "fewer than 4 questions"


def test_every_technical_family_has_choice_at_every_level() -> None:
    rows = [row for label, row in WHOLE if _is_technical(label)]
    count = Counter((row["family"], level) for row in rows for level in row["levels"])
    families = sorted({row["family"] for row in rows})
    thin = [f"{TECHNICAL}: {f} x {lv}: {count[f, lv]}" for f in families for lv in LEVELS if count[f, lv] < 3]
    assert thin == [], "fewer than 3 questions"
