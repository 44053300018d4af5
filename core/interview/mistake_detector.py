"""Mistakes that can be pointed at: closed codes, each with a quote that stands in the answer. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from core.interview import text
from core.interview.model import Mistake, MistakeCode

MOST = 3
SHORTEST_QUOTE = 3  # characters
REFUTED_BY: dict[MistakeCode, frozenset[str]] = {
    "no_result": frozenset({"S4", "E3", "E4"}),
    "no_own_role": frozenset({"E2"}),
    "no_numbers": frozenset({"E4"}),
}
WITHOUT_QUOTE: frozenset[MistakeCode] = frozenset(
    {"off_topic", "no_own_role", "no_result", "no_numbers", "missing_key_point"}
)
NAMES: dict[MistakeCode, str] = {
    "hedging": "Hedges a lot",
    "filler": "Many filler words",
    "off_topic": "Off topic",
    "vague": "Vague",
    "no_own_role": "Own part unclear",
    "no_result": "No result",
    "no_numbers": "No numbers",
    "hypothetical": "Hypothetical instead of real",
    "rambling": "Rambling",
    "contradiction": "Contradiction",
    "factual_error": "Factual error",
    "negative_talk": "Negative about others",
    "missing_key_point": "Key point missing",
    "unsupported_claim": "Claim without support",
}


def verified(claimed: Iterable[Mistake], answer: str, met: Collection[str] = ()) -> tuple[Mistake, ...]:
    """The mistakes that hold, at most three and each code once.

    One about something said needs its quote in the answer; one about something missing needs none, but a
    quote that is not there, or a claim that the text or an anchor met refutes (no result where one was found),
    drops it.
    """
    whole = text.folded(answer)
    held: dict[MistakeCode, Mistake] = {}
    for one in claimed:
        quote = one.quote or ""
        found = _shown(whole, quote) if quote.strip() else one.code in WITHOUT_QUOTE
        if found and not _refuted(one, answer) and not REFUTED_BY.get(one.code, frozenset()) & set(met):
            held.setdefault(one.code, one)
    return tuple(held.values())[:MOST]


def _shown(whole: str, quote: str) -> bool:
    return len(text.folded(quote)) >= SHORTEST_QUOTE and text.holds(whole, quote)


def _refuted(mistake: Mistake, answer: str) -> bool:
    if mistake.code == "no_numbers":
        return text.has_number(answer)
    if mistake.code == "no_own_role":
        return not answer or (text.has_first_person(answer) and not mistake.quote)
    return False
