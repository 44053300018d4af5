"""A scripted grader: reads the question and answer out of our own prompt and quotes the answer honestly.

It stands in for a model in tests and in the local demo. It lights an anchor only where a simple cue stands in the
answer, so stronger answers score higher, and it never makes anything up.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tests.fakes.exchange import Exchange

CUES = {
    "R1": r"",
    "R2": r"\b(?:I|my)\b",
    "S1": r"\b(?:when|while|last|during)\b",
    "S2": r"\b(?:had to|asked to|my job|needed to)\b",
    "S3": r"\b(?:first|then|so I)\b",
    "S4": r"\b(?:in the end|as a result|finally|since then)\b",
    "E1": r"\d",
    "E2": r"\bI\b",
    "E3": r"\b(?:result|fell|rose|dropped|grew|saved)\b",
    "E4": r"\bfrom \d+.* to \d+",
    "D2": r"\bbecause\b",
    "D3": r"\b(?:hard|difficult|problem)\b",
}
SENTENCE = re.compile(r"[^.!?。]+[.!?。]")
QUESTIONS = (
    "Which part of this work would you like to be better at, and why?",
    "How do you find out what the people you work for really need?",
    "What tells you early in a task that it is going wrong?",
)


def grade(exchange: Exchange) -> str:
    """The reply to one graded answer, to a batch of them, or to slots of a plan; "{}" for anything else."""
    data = _data(exchange.messages[1][1] if len(exchange.messages) > 1 else "")
    if "answers" in data:
        return json.dumps({"items": [_graded(each) for each in data["answers"]]})
    if "slots" in data:
        written = zip(data["slots"], QUESTIONS, strict=False)
        return json.dumps(
            {"questions": [{"slot": each["slot"], "text": text, "ref": ""} for each, text in written]}
        )
    if "answer" not in data:
        return "{}"
    said = {
        "reaction": "Thank you, that gives me a picture of what you did.",
        "ask": "What changed afterwards, and how do you know?",
    }
    graded = _graded(data)
    met = {each["a"] for each in graded["met"]}
    missing = next((a for a in ("E4", "E2", "S4", "D2", "D3") if a not in met), "D4")
    return json.dumps({**graded, **said, "ask_about": missing})


def _graded(data: dict[str, Any]) -> dict[str, Any]:
    answer = str(data["answer"])
    met = [{"a": a, "q": found[:160]} for a, cue in CUES.items() if (found := _shown(cue, answer))]
    mistakes = [] if re.search(r"\d", answer) else [{"code": "no_numbers", "q": "", "fix": "Add one number."}]
    return {"qid": data["qid"], "met": met, "mistakes": mistakes, "instruction": ""}


def _shown(cue: str, answer: str) -> str:
    """The first sentence with the cue in it; "" where there is none."""
    return next((said.strip() for said in SENTENCE.findall(answer) if re.search(cue, said)), "")


def _data(prompt: str) -> dict[str, Any]:
    """What stands in the fence; nothing where the prompt is none of ours."""
    for line in prompt.splitlines():
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    return {}
