"""The offline coach: what can honestly be said about an answer without any model. Never a score.

It reacts to wording only and says so; its follow-ups are the probes that were written with the question.
"""

from __future__ import annotations

from core.interview import coverage, text
from core.interview.model import Feedback, Origin, Question

OTHER_LANGUAGE = "Thank you. The offline coach reads English only, so compare with the key points in the report."
NOTE = "Offline coach: built-in wording cues, no AI and no score."


def react(question: Question, answer: str, note: str = NOTE) -> Feedback:
    """What the wording shows, one key point that it does not touch, and the planned probe for the first gap."""
    if not text.is_english(answer):
        return Feedback(Origin("coach"), OTHER_LANGUAGE, question.probes.get("D3", ""), scored=False, note=note)
    cues = text.star_cues(answer)
    seen = []
    if text.has_number(answer):
        seen.append("a number")
    if cues["action"]:
        seen.append("what you did yourself")
    if cues["result"]:
        seen.append("how it turned out")
    heard = f"I noticed {_listed(seen)}." if seen else "I did not notice a number, an action of yours or a result."
    missing = _first_gap(answer, cues)
    advice = "Next time, " + {
        "E4": "add something that can be counted or checked.",
        "E2": "make clear what you did yourself, with “I”.",
        "S4": "close with how it ended.",
        "D2": "give the reason for your choice.",
    }.get(missing, "compare it with the key points in the report.")
    points = coverage.points(question, answer)
    untouched = next((point.text for point in points if not point.touched), "")
    hint = f" I did not find this point: {untouched}." if untouched else ""
    return Feedback(
        Origin("coach"), f"{heard} {advice}{hint}", question.probes.get(missing, ""), scored=False, note=note
    )


def _first_gap(answer: str, cues: dict[str, bool]) -> str:
    gaps = {
        "E4": not text.has_number(answer),
        "E2": not text.has_first_person(answer),
        "S4": not cues["result"],
        "D2": "because" not in answer.casefold(),
    }
    return next((anchor for anchor, gap in gaps.items() if gap), "D3")


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
