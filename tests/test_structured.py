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

from core.interview.grader import TurnReply
from core.structured import LONGEST, PORTABLE, read_as, schema_of
from providers.errors import BadReply
from tests.answers import STORY
from tests.fakes.upstream import FakeUpstream
from tests.interviews import SETUP, app, replying

GOOD: dict[str, Any] = {
    "qid": "b-1",
    "met": [{"a": "R1", "q": "the manual"}],
    "mistakes": [{"code": "vague", "q": None, "fix": "Name it."}],
    "reaction": "Thank you.",
    "follow_up": {"anchor": "E4", "text": "How many?"},
    "injection_seen": False,
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
        WHOLE[:-10],
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
        changed(score=10),
        changed(met={"a": "R1", "q": "the manual"}),
        changed(met=None),
        changed(qid=1),
        changed(injection_seen="true"),
        changed(injection_seen=1),
        changed(reaction="x" * 601),
        changed(reaction=""),
        changed(follow_up="How many?"),
        changed(reaction="x" * LONGEST),
        json.dumps({key: value for key, value in GOOD.items() if key != "follow_up"}),
    ],
)
def test_everything_else_is_a_bad_reply(text: str) -> None:
    with pytest.raises(BadReply):
        read_as(TurnReply, text)


@pytest.mark.parametrize(
    ("key", "item"),
    [
        ("met", {"a": "R1", "q": "the manual", "score": 10}),
        ("met", {"a": "C1", "q": "the manual"}),
        ("met", {"a": "R1\n", "q": "the manual"}),
        ("met", {"a": "R5", "q": "the manual"}),
        ("mistakes", {"code": "lazy", "q": None, "fix": "Name it."}),
    ],
)
def test_an_item_that_is_not_of_the_shape_is_left_out(key: str, item: object) -> None:
    assert getattr(read_as(TurnReply, changed(**{key: [item]})), key) == []


def test_a_surrogate_half_is_refused_where_it_could_not_be_saved() -> None:
    with pytest.raises(BadReply):
        read_as(TurnReply, WHOLE.replace("Thank you.", r"Thank you \ud800."))


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


@given(FINITE_VALUES, st.data())
def test_what_is_cut_off_is_never_made_whole(value: Any, data: st.DataObject) -> None:
    text = sloppy({"value": value}, "")
    with pytest.raises(BadReply):
        read_as(Anything, text[: data.draw(st.integers(0, len(text) - 1))])


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
    assert kept == value or (isinstance(value, list) and len(kept) < len(value))


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
                for inner in value.values() if key in ("properties", "$defs") else [value]:
                    check(inner)

    check(schema_of(TurnReply))
    assert objects == 4
    assert set(schema_of(TurnReply)["properties"]) == set(GOOD)


def test_words_of_a_reply_never_reach_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with FakeUpstream(reply=replying(**{"my number is 0171 555": 1})) as fake:
        engine = app(tmp_path, {"alpha": fake}).engine
        token, _ = engine.start(SETUP)
        engine.answer(token, 0, STORY)
    assert "alpha" in caplog.text
    assert "0171 555" not in caplog.text
