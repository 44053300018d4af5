"""A scripted grader: reads the question and answer out of our own prompt and quotes the answer honestly.

It stands in for a model in tests and in the local demo. It lights an anchor only where a simple cue stands in the
answer, so stronger answers score higher, and it never makes anything up.
"""

from __future__ import annotations

import json
import re

from tests.fakes.exchange import Exchange

CUES = {
    "R1": r"[^.!?]*[.!?]",
    "R2": r"[^.!?]*\b(?:I|my)\b[^.!?]*[.!?]",
    "S1": r"[^.!?]*\b(?:when|while|last|during)\b[^.!?]*[.!?]",
    "S2": r"[^.!?]*\b(?:had to|asked to|my job|needed to)\b[^.!?]*[.!?]",
    "S3": r"[^.!?]*\b(?:first|then|so I)\b[^.!?]*[.!?]",
    "S4": r"[^.!?]*\b(?:in the end|as a result|finally|since then)\b[^.!?]*[.!?]",
    "E1": r"[^.!?]*\d[^.!?]*[.!?]",
    "E2": r"[^.!?]*\bI\b[^.!?]*[.!?]",
    "E3": r"[^.!?]*\b(?:result|fell|rose|dropped|grew|saved)\b[^.!?]*[.!?]",
    "E4": r"[^.!?]*\bfrom \d+[^.!?]* to \d+[^.!?]*[.!?]",
    "D2": r"[^.!?]*\bbecause\b[^.!?]*[.!?]",
    "D3": r"[^.!?]*\b(?:hard|difficult|problem)\b[^.!?]*[.!?]",
}


def grade(exchange: Exchange) -> str:
    """The reply to one graded answer; "{}" for anything else."""
    data = _data(exchange.messages[1][1] if len(exchange.messages) > 1 else "")
    if data is None:
        return "{}"
    answer = str(data["answer"])
    met = [
        {"a": a, "q": found.group(0).strip()[:160]} for a, cue in CUES.items() if (found := re.search(cue, answer))
    ]
    missing = next((a for a in ("E4", "E2", "S4", "D2", "D3") if a not in {m["a"] for m in met}), "D4")
    mistakes = [] if re.search(r"\d", answer) else [{"code": "no_numbers", "q": None, "fix": "Add one number."}]
    return json.dumps(
        {
            "qid": data["qid"],
            "met": met,
            "mistakes": mistakes,
            "reaction": "Thank you, that gives me a picture of what you did.",
            "follow_up": {"anchor": missing, "text": "What changed afterwards, and how do you know?"},
            "injection_seen": "ignore" in answer.lower() and "rubric" in answer.lower(),
        }
    )


def _data(prompt: str) -> dict[str, object] | None:
    for line in prompt.splitlines():
        if line.startswith("{"):
            found: dict[str, object] = json.loads(line)
            return found if "answer" in found else None
    return None
