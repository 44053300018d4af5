"""Replies that end too early: what of them counts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.interview.replies import BatchReply, TurnReply
from core.structured import read_as
from providers.errors import BadReply
from tests.test_structured import FINITE_VALUES, GOOD, WHOLE, Anything, changed


@given(FINITE_VALUES, st.data())
def test_of_what_is_cut_off_only_whole_items_count(value: Any, data: st.DataObject) -> None:
    """Read from left to right, a list or an object may end early; no value is made up or changed."""
    text = json.dumps({"value": [value, "end"], "after": 1})
    try:
        found = read_as(Anything, text[: data.draw(st.integers(0, len(text)))]).value
    except BadReply:
        return
    assert begins(found, [value, "end"])


def begins(part: Any, whole: Any) -> bool:
    """Is `part` what stands at the beginning of `whole`, with only its last item cut as well?"""
    if repr(part) == repr(whole):
        return True
    if isinstance(part, list) and isinstance(whole, list):
        pairs = list(zip(part, whole, strict=False))
    elif isinstance(part, dict) and isinstance(whole, dict) and list(part) == list(whole)[: len(part)]:
        pairs = [(part[key], whole[key]) for key in part]
    else:
        return False
    return len(part) <= len(whole) and all(
        repr(one) == repr(other) or (n == len(pairs) - 1 and begins(one, other))
        for n, (one, other) in enumerate(pairs)
    )


TWO_MET = changed(met=[{"a": "R1", "q": "the manual"}, {"a": "S3", "q": "then, I {wrote} it"}])


@pytest.mark.parametrize(
    ("last", "anchors"),
    [
        ('"the manual"}', ["R1"]),
        ('"the manual"}, ', ["R1"]),
        ('"S3", "q": "then, I {wr', ["R1"]),
        ('{wrote} it"', ["R1"]),
        ('{wrote} it"}', ["R1", "S3"]),
        ('"mistakes": [{"code": "vague"', ["R1", "S3"]),
        ('"reaction": "Thank', ["R1", "S3"]),
    ],
)
@pytest.mark.parametrize("before", ["", "Here it is:\n```json\n"])
def test_a_reply_that_is_cut_off_keeps_what_was_whole(before: str, last: str, anchors: list[str]) -> None:
    cut = TWO_MET[: TWO_MET.index(last) + len(last)]
    found = read_as(TurnReply, before + cut)
    assert [met.a for met in found.met] == anchors
    assert found.reaction == ""


@given(st.integers(0, len(WHOLE) - 1))
def test_an_answer_that_was_half_graded_when_the_reply_ended_is_not_graded(cut: int) -> None:
    """Its anchors might be only some of those that the grader found."""
    begun = json.dumps({"items": [GOOD]})[:-2]
    items = read_as(BatchReply, f"{begun}, {WHOLE[:cut]}").items
    assert [item.model_dump_json() for item in items] == [
        read_as(BatchReply, begun + "]}").items[0].model_dump_json()
    ]
