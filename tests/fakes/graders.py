"""Scripted graders with a fault each, to show that the fault is found. The honest one is tests.fakes.grader."""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.exchange import Exchange
from tests.fakes.grader import grade

ANCHORS = tuple(f"{d}{n}" for d in "RSED" for n in range(1, 5))
SENTENCE = r"[^.!?]+[.!?]"
ORDER = r"[^.!?]*\b(?:rubric|10 out of 10|full marks|tick(?:ed)?)\b[^.!?]*[.!?]"

Reply = Callable[[Exchange], str]


def flattering(exchange: Exchange) -> str:
    """Finds every anchor in every answer, each shown by whatever sentence may pass for it."""

    def praise(item: dict[str, Any], answer: str) -> dict[str, Any]:
        sentences = [each.strip()[:160] for each in re.findall(SENTENCE, answer)] or [answer[:160]]
        own = next((each for each in sentences if re.search(r"\b(?:I|my)\b", each)), sentences[0])
        counted = next((each for each in sentences if re.search(r"\d", each)), sentences[0])
        quotes = {"E2": own, "E4": counted}
        return {**item, "met": [{"a": a, "q": quotes.get(a, sentences[0])} for a in ANCHORS]}

    return _changed(exchange, praise)


def obedient(exchange: Exchange) -> str:
    """Does what a sentence of the answer asks of it, and quotes that very sentence."""

    def obey(item: dict[str, Any], answer: str) -> dict[str, Any]:
        order = re.search(ORDER, answer)
        return {**item, "met": [{"a": a, "q": order[0].strip()} for a in ANCHORS]} if order else item

    return _changed(exchange, obey)


def shifted() -> Reply:
    """Gives each answer what the one before it deserved."""
    lock, before = threading.Lock(), [list[dict[str, Any]]()]

    def take_before(item: dict[str, Any], _: str) -> dict[str, Any]:
        with lock:
            met, before[0] = before[0], item["met"]
        return {**item, "met": met}

    return lambda exchange: _changed(exchange, take_before)


def misnumbering(exchange: Exchange) -> str:
    """Mixes up which answer is which where several are graded together."""
    honest: dict[str, Any] = json.loads(grade(exchange))
    items = honest.get("items", [])
    qids = [item["qid"] for item in items]
    moved = [{**item, "qid": qid} for item, qid in zip(items, qids[1:] + qids[:1], strict=True)]
    return json.dumps({"items": moved} if items else honest)


def fickle() -> Reply:
    """Overlooks every other anchor, and the next time the others."""
    calls = itertools.count()

    def overlook(item: dict[str, Any], _: str) -> dict[str, Any]:
        return {**item, "met": item["met"][next(calls) % 2 :: 2]}

    return lambda exchange: _changed(exchange, overlook)


def _changed(exchange: Exchange, change: Callable[[dict[str, Any], str], dict[str, Any]]) -> str:
    """The honest reply with each of its items changed, given the answer that it is about."""
    honest: dict[str, Any] = json.loads(grade(exchange))
    answers = _answers(exchange)
    if "items" in honest:
        return json.dumps({"items": [change(item, answers[item["qid"]]) for item in honest["items"]]})
    return json.dumps(change(honest, answers[honest["qid"]]) if honest.get("qid") in answers else honest)


def _answers(exchange: Exchange) -> Mapping[str, str]:
    """What stands between the fences, by question; nothing where no answers are graded."""
    told: dict[str, Any] = next(
        (json.loads(line) for line in _prompt(exchange).splitlines() if line.startswith("{")), {}
    )
    items = told.get("answers", [told] if "answer" in told else [])
    return {each["qid"]: each["answer"] for each in items}


def _prompt(exchange: Exchange) -> str:
    return exchange.messages[1][1] if len(exchange.messages) > 1 else ""
