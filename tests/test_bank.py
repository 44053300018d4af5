"""The question bank is data that candidates see, so every entry is checked like code, and the checks too."""

from __future__ import annotations

import copy
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import pytest

from core.interview import questions, wording
from core.interview.model import COMPETENCIES, Kind, Level
from core.interview.tailored import FRAMES

BANK = Path(__file__).resolve().parents[1] / "core" / "interview" / "bank"
TECHNICAL = "technical.toml"
KINDS: tuple[Kind, ...] = get_args(Kind)
LEVELS: tuple[Level, ...] = get_args(Level)
FIELDS = {"id", "competency", "kind", "levels", "family", "text", "key_points", "hint", "outline", "probes"}
PROBES = {"E4", "E2", "S4", "D2", "D3"}
TYPES = {"levels": list, "key_points": list, "probes": dict}  # every other field is a string
FEWEST, FEWEST_EACH = 240, 4
FAMILIES = {
    "software",
    "data",
    "product",
    "design",
    "marketing",
    "sales",
    "finance",
    "hr",
    "health",
    "teaching",
    "customer_service",
    "operations",
}
# Which competencies each kind can show. Motivation is asked about, not told in stories; what a craft question
# shows is knowledge, its use on a problem, or how it is explained.
STORIES = {str(competency) for competency in COMPETENCIES} - {"motivation"}
ASKED: dict[str, set[str]] = {
    "behavioural": STORIES,
    "situational": STORIES,
    "technical": {"role_knowledge", "problem_solving", "communication"},
    "motivation": {"motivation"},
}

Row = dict[str, Any]
Entry = tuple[str, Row]


def _load() -> list[Entry]:
    """Every question with a label "file: id", in file order."""
    found: list[Entry] = []
    for path in sorted(BANK.glob("*.toml")):
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("question", [])
        found += [(f"{path.name}: {row.get('id', f'question {i}')}", row) for i, row in enumerate(rows, 1)]
    return found


def _spoken(row: Row) -> Iterator[str]:
    yield from (row["text"], row["hint"], row["outline"])
    yield from row["key_points"]
    yield from row["probes"].values()


def shape_faults(row: Row) -> Iterator[str]:
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


def value_faults(label: str, row: Row) -> Iterator[str]:
    if row["kind"] not in KINDS:
        yield f"unknown kind {row['kind']!r}"
    elif row["competency"] not in ASKED[row["kind"]]:
        yield f"no {row['kind']} question is about {row['competency']!r}"
    levels = row["levels"]
    if not levels or len(set(levels)) != len(levels) or not set(levels) <= set(LEVELS):
        yield f"levels must be some of {LEVELS}, each once, got {levels!r}"
    if row["family"] not in (FAMILIES if row["kind"] == "technical" else {""}):
        yield f"family is for technical questions, one of the twelve, got {row['family']!r}"
    if row["kind"] != label.partition(".")[0]:
        yield f"kind {row['kind']!r} does not belong in this file"


def text_faults(row: Row) -> Iterator[str]:
    yield from wording.faults(row["text"])
    for field, low, high in (("hint", 10, 160), ("outline", 40, 500)):
        if not low <= len(row[field]) <= high:
            yield f"{field} has {len(row[field])} characters, allowed {low} to {high}"
    if not 3 <= len(row["key_points"]) <= 5:
        yield f"{len(row['key_points'])} key points, allowed 3 to 5"
    yield from (
        f"key point over 110 characters or empty: {p!r}" for p in row["key_points"] if not 1 <= len(p) <= 110
    )
    for code, probe in row["probes"].items():
        if probe.count("?") != 1 or not probe.endswith("?"):
            yield f"probe {code} needs exactly one question mark, at its end"
        if not 3 <= len(probe.split()) <= 28:
            yield f"probe {code} has {len(probe.split())} words, allowed 3 to 28"
    if len(set(row["probes"].values())) != len(PROBES):
        yield "two probes are the same"
    for text in _spoken(row):
        if text != text.strip():
            yield f"text has edge spaces: {text!r}"
        if hit := wording.banned(text):
            yield f"banned wording {hit!r} in {text!r}"


def row_faults(entries: Sequence[Entry]) -> list[str]:
    found: list[str] = []
    for label, row in entries:
        faults = list(shape_faults(row)) or [*value_faults(label, row), *text_faults(row)]
        found += [f"{label}: {fault}" for fault in faults]
    return found


def coverage_faults(rows: Sequence[Row]) -> list[str]:
    found = [] if len(rows) >= FEWEST else [f"{len(rows)} questions, at least {FEWEST} expected"]
    cells = Counter((row["kind"], row["competency"], level) for row in rows for level in row["levels"])
    wanted = [(k, c, lv) for k in KINDS for c in sorted(ASKED[k]) for lv in LEVELS]
    found += [f"{' x '.join(cell)}: {cells[cell]}" for cell in wanted if cells[cell] < FEWEST_EACH]
    crafts = Counter((row["family"], level) for row in rows if row["family"] for level in row["levels"])
    found += [
        f"{f} x {lv}: {crafts[f, lv]}" for f in sorted(FAMILIES) for lv in LEVELS if crafts[f, lv] < FEWEST_EACH
    ]
    return found


def twins(rows: Sequence[Row]) -> list[str]:
    pairs = combinations(rows, 2)
    return [f"{one['id']} ~ {two['id']}" for one, two in pairs if wording.are_twins(one["text"], two["text"])]


def id_faults(rows: Sequence[Row], lines: Sequence[str]) -> list[str]:
    """The list of ids only grows: a question that is gone keeps its line, with the word retired behind it."""
    listed = [line.split() for line in lines if line and not line.startswith("#")]
    names = [words[0] for words in listed]
    living = {words[0] for words in listed if words[1:] != ["retired"]}
    ids = Counter(row["id"] for row in rows)
    return [
        *(f"{id_} stands twice in the bank" for id_, count in ids.items() if count > 1),
        *(f"{name} stands twice in the list" for name, count in Counter(names).items() if count > 1),
        *(f"{id_} is in the bank and not, or as retired, in the list" for id_ in ids if id_ not in living),
        *(f"{name} is in the list and not in the bank" for name in sorted(living - set(ids))),
    ]


ENTRIES = _load()
ROWS = [row for _, row in ENTRIES]
IDS = (BANK / "ids.txt").read_text(encoding="utf-8").splitlines()


def test_every_question_is_as_it_should_be() -> None:
    assert row_faults(ENTRIES) == []


def test_there_is_choice_everywhere() -> None:
    assert coverage_faults(ROWS) == []


def test_no_question_is_asked_twice() -> None:
    assert twins(ROWS) == []


def test_ids_stay() -> None:
    assert id_faults(ROWS, IDS) == []


def test_every_family_has_words_by_which_a_role_is_known() -> None:
    assert set(questions.FAMILIES) == FAMILIES
    assert len(FAMILIES) == 12


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_around_tailored_questions_keeps_the_same_rules(kind: Kind) -> None:
    frame = FRAMES[kind]
    row = {
        **ROWS[0],
        "key_points": list(frame.key_points),
        "probes": dict(frame.probes),
        "hint": frame.hint,
        "outline": frame.outline,
    }
    assert [*shape_faults(row), *text_faults(row)] == []


def test_the_version_of_the_bank_changes_with_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in BANK.glob("*.toml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    before = questions.bank_version()
    monkeypatch.setattr(questions, "BANK", tmp_path)
    questions.bank_version.cache_clear()
    assert questions.bank_version() == before
    (tmp_path / TECHNICAL).write_bytes((tmp_path / TECHNICAL).read_bytes() + b"# more\n")
    questions.bank_version.cache_clear()
    assert questions.bank_version() != before
    monkeypatch.undo()
    questions.bank_version.cache_clear()


# The checks must be able to fail

LOSSES: dict[str, Callable[[Row], bool]] = {
    "a family": lambda row: row["family"] == "hr",
    "a family at a level": lambda row: row["family"] == "teaching" and "senior" in row["levels"],
    "a kind": lambda row: row["kind"] == "situational",
    "a competency of a kind": lambda row: (row["kind"], row["competency"]) == ("technical", "problem_solving"),
    "a cell": lambda row: (
        (row["kind"], row["competency"]) == ("behavioural", "teamwork") and "junior" in row["levels"]
    ),
    "motivation": lambda row: row["kind"] == "motivation",
}


@pytest.mark.parametrize("lost", LOSSES)
def test_what_goes_missing_is_missed(lost: str) -> None:
    assert coverage_faults([row for row in ROWS if not LOSSES[lost](row)])


def test_the_number_of_questions_has_a_floor() -> None:
    spare = [row for row in ROWS if row["kind"] in ("behavioural", "motivation")]
    few = [row for row in ROWS if row not in spare[: len(ROWS) - FEWEST + 1]]
    assert len(few) == FEWEST - 1
    assert f"{FEWEST - 1} questions, at least {FEWEST} expected" in coverage_faults(few)


def test_one_question_too_few_in_a_cell_is_enough_to_tell() -> None:
    cell = [row for row in ROWS if row["family"] == "data" and "junior" in row["levels"]]
    assert len(cell) == FEWEST_EACH
    assert "data x junior: 3" in coverage_faults([row for row in ROWS if row is not cell[0]])


FLAWS: dict[str, dict[str, Any]] = {
    "a short text": {"text": "Why?"},
    "a long text": {"text": "Tell me " + "very " * 60 + "slowly what you did?"},
    "two questions": {"text": "What did you do when it went wrong? And what did you say to them?"},
    "no question": {"text": "Tell me about a time when something went wrong at your work."},
    "a figure": {"text": "What did you do when 3 colleagues were missing on the same day?"},
    "an address": {"text": "What did you think of the site www.example.com when you saw it?"},
    "markup": {"text": "What did you do when <b>everything</b> went wrong on the same day?"},
    "a forbidden subject": {"text": "How do your children and your work go together on a long day?"},
    "edge spaces": {"hint": " Think of one day."},
    "an unknown competency": {"competency": "charm"},
    "a competency of another kind": {"competency": "motivation"},
    "an unknown level": {"levels": ["expert"]},
    "no level": {"levels": []},
    "a family where none belongs": {"family": "software"},
    "a probe too few": {"probes": {"E4": "How do you know?"}},
    "too few key points": {"key_points": ["One", "Two"]},
    "a wrong type": {"key_points": "One, two and three"},
    "a field too many": {"score": "7"},
    "an odd id": {"id": "B-Odd"},
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_in_a_question_is_found(flaw: str) -> None:
    label, row = next((label, row) for label, row in ENTRIES if row["kind"] == "behavioural")
    assert row_faults([(label, {**copy.deepcopy(row), **FLAWS[flaw]})])


def test_twins_are_found() -> None:
    twin = {**ROWS[0], "id": "b-another", "text": ROWS[0]["text"].replace("you", "YOU") + " Please."}
    assert twins([*ROWS, twin]) == [f"{ROWS[0]['id']} ~ b-another"]


def test_an_id_that_is_changed_dropped_doubled_or_brought_back_is_found() -> None:
    first = ROWS[0]["id"]
    assert id_faults([{**ROWS[0], "id": "b-renamed"}, *ROWS[1:]], IDS)
    assert id_faults(ROWS[1:], IDS)
    assert id_faults([*ROWS, ROWS[0]], IDS)
    assert id_faults(ROWS, [*IDS, first])
    assert id_faults(ROWS, [line for line in IDS if line != first])
    retired = [f"{first} retired" if line == first else line for line in IDS]
    assert id_faults(ROWS, retired)
    assert id_faults(ROWS[1:], retired) == []
