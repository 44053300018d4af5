"""Mistakes that can be pointed at: closed codes, each with a quote that stands in the answer. Pure.

What a grader claims is checked; what code finds alone is a cue in the wording and costs no anchor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

from core.interview import cues, rubric, text
from core.interview.model import Kind, Mistake, MistakeCode, Turn

MOST = 3
SHORTEST_QUOTE, LONGEST_QUOTE = 3, 160  # characters
FEWEST_HITS = 3
HEDGES_PER_WORD, FILLERS_PER_WORD = 3 / 100, 4 / 100
LITTLE_NEW = 0.5  # share of new words in what goes beyond the usual length, below which it is rambling
REFUTED_BY: dict[MistakeCode, frozenset[str]] = {
    "no_result": frozenset({"S4", "E3", "E4"}),
    "no_own_role": frozenset({"E2"}),
    "no_numbers": frozenset({"E4"}),
    "off_topic": frozenset({"R1", "R2"}),
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


FIXES: dict[MistakeCode, str] = {
    "rambling": "Stop after the result. Two minutes are enough; leave the rest for a follow-up.",
    "no_numbers": "Add one thing that can be counted: how many, how long, how often, before and after.",
    "hypothetical": "Tell what you did on one real day instead of what you would do.",
    "hedging": "Say it straight: drop the softeners where you are sure.",
    "filler": "Pause in silence instead. A second of quiet sounds calm.",
}
_OUTCOME = re.compile(
    r"\b(?:result\w*|in the end|finally|outcome|improved?|better|faster|increased?|reduced?|fell|rose|grew|saved|"
    r"many|several|a lot|lots|often|most|more)\b",
    re.IGNORECASE,
)


def verified(
    claimed: Iterable[Mistake], answer: str, met: Collection[str] = (), kind: Kind | None = None
) -> tuple[Mistake, ...]:
    """The mistakes that hold, at most three and each code once.

    One about something said needs its quote in the answer; one about something missing needs none, but a
    quote that is not there, or a claim that the text, an anchor met (no result where one was found) or the kind
    of question (what one would do was asked for) refutes, drops it.
    """
    whole = text.folded(answer)
    held: dict[MistakeCode, Mistake] = {}
    for one in claimed:
        quote = one.quote or ""
        found = _shown(whole, quote) if quote.strip() else one.code in WITHOUT_QUOTE
        asked_for = one.code == "hypothetical" and kind not in (None, "behavioural")
        contradicted = REFUTED_BY.get(one.code, frozenset()) & set(met)
        if found and not asked_for and not contradicted and not _refuted(one, answer):
            held.setdefault(one.code, one)
    return tuple(held.values())[:MOST]


def local(turn: Turn) -> tuple[Mistake, ...]:
    """What the wording alone shows, in English only, each with a sentence of the answer and a fix."""
    answer = turn.answer
    sentences = text.sentences(answer)
    if len(text.words(answer)) < rubric.SHORTEST_CLEAR or not sentences or not text.is_english(answer):
        return ()
    found: dict[MistakeCode, str | None] = {
        "hypothetical": _hypothetical(turn, sentences),
        "no_numbers": _no_numbers(turn, sentences),
        "rambling": _rambling(turn, sentences),
        "hedging": _frequent(cues.hedges, HEDGES_PER_WORD, sentences),
        "filler": _frequent(cues.fillers, FILLERS_PER_WORD, sentences) if turn.spoken else None,
    }
    whole = text.folded(answer)
    quoted = {code: _cut(sentence) for code, sentence in found.items() if sentence}
    return tuple(Mistake(c, quote, FIXES[c], "code") for c, quote in quoted.items() if _shown(whole, quote))


def merged(claimed: Sequence[Mistake], local: Sequence[Mistake]) -> tuple[Mistake, ...]:
    """The grader's first, then what code found of other codes; three in all."""
    known = {one.code for one in claimed}
    return (*claimed, *(one for one in local if one.code not in known))[:MOST]


def _hypothetical(turn: Turn, sentences: Sequence[str]) -> str | None:
    """A story was asked for, and more is imagined in the answer than done."""
    imagined = [s for s in sentences if cues.hypotheticals(s)]
    done = [s for s in sentences if text.own_actions(s)]
    return imagined[0] if turn.question.kind == "behavioural" and len(imagined) > len(done) else None


def _no_numbers(turn: Turn, sentences: Sequence[str]) -> str | None:
    """A story without a figure; the sentence that could take one best."""
    if turn.question.kind != "behavioural" or text.has_number(turn.answer):
        return None
    return next((s for s in reversed(sentences) if _OUTCOME.search(s)), sentences[-1])


def _rambling(turn: Turn, sentences: Sequence[str]) -> str | None:
    """Beyond the usual length with few words that were not said before; the sentence that adds least."""
    most = rubric.LENGTHS[turn.question.kind][1]
    said: set[str] = set()
    count, beyond, new = 0, 0, 0
    adds: dict[str, float] = {}
    for sentence in sentences:
        telling = [w.casefold() for w in text.words(sentence) if len(w) > 3]
        count += len(text.words(sentence))
        fresh = [w for w in telling if w not in said]
        if count > most and telling:
            beyond, new = beyond + len(telling), new + len(fresh)
            adds.setdefault(sentence, len(fresh) / len(telling))
        said |= set(telling)
    return min(adds, key=lambda s: adds[s]) if beyond and new < LITTLE_NEW * beyond else None


def _frequent(find: Callable[[str], list[str]], per_word: float, sentences: Sequence[str]) -> str | None:
    """The sentence with most of them, where there are many in all."""
    hits = {sentence: len(find(sentence)) for sentence in sentences}
    total = sum(len(find(sentence)) for sentence in sentences)
    many = total >= max(FEWEST_HITS, per_word * sum(len(text.words(s)) for s in sentences))
    return max(hits, key=lambda s: hits[s]) if many else None


def _cut(sentence: str) -> str:
    """At most so much of a sentence, ending with a whole word."""
    return sentence if len(sentence) <= LONGEST_QUOTE else sentence[:LONGEST_QUOTE].rsplit(" ", 1)[0]


def _shown(whole: str, quote: str) -> bool:
    return len(text.folded(quote)) >= SHORTEST_QUOTE and text.holds(whole, quote)


def _refuted(mistake: Mistake, answer: str) -> bool:
    if mistake.code == "no_numbers":
        return text.has_number(answer)
    if mistake.code == "no_own_role":
        return not answer or (text.has_first_person(answer) and not mistake.quote)
    return False
