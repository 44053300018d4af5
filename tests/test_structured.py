"""Replies that should be JSON, whatever a model makes of that."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from core.interview.replies import BatchReply, TurnReply
from core.structured import LONGEST, PORTABLE, read_as, schema_of
from providers.errors import BadReply
from tests.answers import STORY
from tests.fakes.upstream import FakeUpstream
from tests.interviews import SETUP, app, replying

GOOD: dict[str, Any] = {
    "qid": "b-1",
    "met": [{"a": "R1", "q": "the manual"}],
    "mistakes": [{"code": "vague", "q": "", "fix": "Name it."}],
    "instruction": "",
    "reaction": "Thank you.",
    "ask_about": "E4",
    "ask": "How many?",
}
WHOLE = json.dumps(GOOD)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


TRICKY = st.text(alphabet='{}[],:" \\\n\r\t\x00\x1fné')
FINITE_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TRICKY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TRICKY, inner, max_size=3),
    max_leaves=12,
)


class Measured(BaseModel):
    model_config = ConfigDict(strict=True)
    share: float


class Anything(BaseModel):
    value: Any


def changed(**changes: Any) -> str:
    return json.dumps(GOOD | changes)


def sloppy(value: Any, gap: str) -> str:
    """As a careless model writes it: a comma after each last item, control characters as they are."""
    match value:
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case dict() if value:
            return (
                "{"
                + "".join(f"{gap}{sloppy(k, '')}: {sloppy(v, gap)}{gap}," for k, v in value.items())
                + gap
                + "}"
            )
        case list() if value:
            return "[" + "".join(f"{gap}{sloppy(v, gap)}{gap}," for v in value) + gap + "]"
    return json.dumps(value)


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        f"```json\n{WHOLE}\n```",
        f"Sure, here it is:\n\n{WHOLE}\n\nI hope that helps.",
        f"\ufeff{WHOLE}",
        json.dumps(GOOD, indent=4),
        changed(reaction="Braces } and { in a text."),
        f"{WHOLE}\n\nI hope that helps {{smile}}.",
        WHOLE[:-1] + ",}\n\n} { } {}",
    ],
)
def test_what_stands_around_the_object_does_not_matter(text: str) -> None:
    assert read_as(TurnReply, text).qid == "b-1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "}{",
        "null",
        "[]",
        "[1]",
        "I cannot do that.",
        WHOLE[:15],
        WHOLE + WHOLE,
        "{" * 19_000 + "}",
        '{"a":' * 3_000 + "1" + "}" * 3_000,
        '{"qid":' + "[" * 9_000 + "]" * 9_000 + "}",
        '{"qid": ' + "9" * 5_000 + "}",
        '{"qid": NaN}',
        WHOLE.replace('"met":', '"x": Infinity, "met":'),
        WHOLE.replace('"met":', '"x": -Infinity, "met":'),
        WHOLE.replace('"qid": "b-1"', '"qid": "b-1", "qid": "b-2"'),
        WHOLE.replace('"a": "R1"', '"a": "R1", "a": "R2"'),
        WHOLE.replace('"', "'"),
        changed(met={"a": "R1", "q": "the manual"}),
        changed(met=None),
        changed(qid=1),
        changed(reaction="x" * LONGEST),
        json.dumps({key: value for key, value in GOOD.items() if key != "met"}),
        json.dumps({key: value for key, value in GOOD.items() if key != "qid"}),
    ],
)
def test_everything_else_is_a_bad_reply(text: str) -> None:
    with pytest.raises(BadReply):
        read_as(TurnReply, text)


@pytest.mark.parametrize("key", sorted(set(GOOD) - {"qid", "met"}))
@pytest.mark.parametrize("odd", [None, 10, ["x"], {"anchor": "E4", "text": "How many?"}, True])
def test_only_the_question_and_its_anchors_have_to_be_right(key: str, odd: object) -> None:
    """Whatever else is odd or not there counts as not said."""
    whole = read_as(TurnReply, WHOLE)
    nothing: object = [] if key == "mistakes" else ""
    assert read_as(TurnReply, changed(**{key: odd})) == whole.model_copy(update={key: nothing})
    left_out = json.dumps({name: value for name, value in GOOD.items() if name != key})
    assert read_as(TurnReply, left_out).met == whole.met


@pytest.mark.parametrize(
    ("key", "items"),
    [
        ("met", [{"a": "R1", "q": "the manual", "score": 10}]),
        ("mistakes", [{"code": "vague", "q": "", "fix": "Name it.", "points": -1}]),
    ],
)
def test_keys_that_nobody_asked_for_are_passed_over(key: str, items: list[object]) -> None:
    assert read_as(TurnReply, changed(score=10, **{key: items})) == read_as(TurnReply, WHOLE)


@pytest.mark.parametrize(
    ("key", "item"),
    [
        ("met", {"a": "C1", "q": "the manual"}),
        ("met", {"a": "R1\n", "q": "the manual"}),
        ("met", {"a": "R5", "q": "the manual"}),
        ("met", {"a": "R1", "q": 10}),
        ("met", {"a": "R1", "q": r"the \ud800 manual"}),
        ("mistakes", {"code": "lazy", "q": "", "fix": "Name it."}),
        ("mistakes", {"code": "vague", "q": "", "fix": ""}),
    ],
)
def test_an_item_that_is_not_of_the_shape_is_left_out(key: str, item: dict[str, Any]) -> None:
    text = changed(**{key: [item, *GOOD[key]]}).replace(r"\\ud800", r"\ud800")
    assert read_as(TurnReply, text) == read_as(TurnReply, WHOLE)


@pytest.mark.parametrize("key", ["reaction", "ask", "instruction"])
def test_half_a_surrogate_pair_is_dropped_because_it_cannot_be_saved(key: str) -> None:
    found = read_as(TurnReply, changed(**{key: "One @ two"}).replace("@", r"\ud800"))
    assert getattr(found, key) == "One  two"
    found.model_dump_json()


@pytest.mark.parametrize("shape", [TurnReply, BatchReply])
@pytest.mark.parametrize("mark", ["score", "grade", "points"])
def test_no_shape_has_a_place_for_a_number(shape: type[BaseModel], mark: str) -> None:
    written = json.dumps(schema_of(shape))
    assert "number" not in written.replace("no_numbers", "")
    assert "integer" not in written
    assert mark not in written.replace("missing_key_point", "")


@pytest.mark.parametrize(
    "number",
    [
        "NaN",
        "Infinity",
        '"0.5"',
        "true",
        pytest.param("1e999"),
    ],
)
def test_numbers_are_numbers(number: str) -> None:
    assert read_as(Measured, '{"share": 0.5}').share == 0.5
    with pytest.raises(BadReply):
        read_as(Measured, f'{{"share": {number}}}')


@given(FINITE_VALUES, st.sampled_from([None, 2]), st.booleans())
def test_valid_json_is_read_as_it_stands(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps({"value": value}, indent=indent, ensure_ascii=ascii_only)
    assert repr(read_as(Anything, text).value) == repr(json.loads(text)["value"])


@given(FINITE_VALUES, st.sampled_from(["", " ", "\n\t", "\r\n  "]))
def test_trailing_commas_and_raw_control_characters_are_read_over(value: Any, gap: str) -> None:
    assert repr(read_as(Anything, sloppy({"value": value}, gap)).value) == repr(value)


@pytest.mark.parametrize(
    "value", ["{,}", "[,]", "[1,,]", "[1,,2]", "[1 2]", '{"a":,}', '{"a",}', "[1,}", "tru,", '"a\n', "1,\v"]
)
def test_what_leaves_doubt_is_not_mended(value: str) -> None:
    with pytest.raises(BadReply):
        read_as(Anything, f'{{"value": {value}}}')


@given(st.text() | st.text(alphabet='{}[]",:\\ntrue0919eE-.\u2028'))
def test_no_text_crashes_it(text: str) -> None:
    with pytest.raises(BadReply):
        read_as(TurnReply, text)


@given(st.sampled_from(sorted(GOOD)), JSON_VALUES)
def test_no_value_crashes_it(key: str, value: Any) -> None:
    try:
        found = read_as(TurnReply, changed(**{key: value}))
    except BadReply:
        return
    kept = found.model_dump(exclude_unset=True)[key]
    assert kept == value or (isinstance(value, list) and len(kept) < len(value)) or not kept


def test_the_schema_is_portable_and_requires_every_key() -> None:
    objects = 0

    def check(node: Any) -> None:
        nonlocal objects
        if isinstance(node, list):
            for item in node:
                check(item)
        elif isinstance(node, dict):
            assert set(node) <= PORTABLE
            if node.get("type") == "object":
                objects += 1
                assert sorted(node["required"]) == sorted(node["properties"])
                assert node["additionalProperties"] is False
            for key, value in node.items():
                for inner in value.values() if key == "properties" else [value]:
                    check(inner)

    check(schema_of(TurnReply))
    assert objects == 3
    assert set(schema_of(TurnReply)["properties"]) == set(GOOD)


@pytest.mark.parametrize("shape", [TurnReply, BatchReply])
def test_a_schema_is_small_enough_for_the_weakest_model(shape: type[BaseModel]) -> None:
    def depth(node: Any) -> int:
        """Objects inside of each other."""
        if isinstance(node, list):
            return max(map(depth, node), default=0)
        if not isinstance(node, dict):
            return 0
        return max(map(depth, node.values()), default=0) + (node.get("type") == "object")

    assert len(json.dumps(schema_of(shape))) <= 1_000
    assert depth(schema_of(shape)) <= 3


def test_words_of_a_reply_never_reach_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with FakeUpstream(reply=replying(met={"my number is 0171 555": 1})) as fake:
        engine = app(tmp_path, {"alpha": fake}).engine
        token, _ = engine.start(SETUP)
        engine.answer(token, 0, STORY)
    assert "alpha" in caplog.text
    assert "0171 555" not in caplog.text
