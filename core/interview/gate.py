"""What never needs a model: answers too long or too short to send, and answers that are none. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.interview import text
from core.interview.model import Turn

LONGEST = 6_000  # characters; four minutes of fast speech
ASSESSED_WORDS = 600
FEWEST_WORDS = 5
BRIEF_WORDS = 25  # an answer with fewer is taken only from somebody who is sure
FEWEST_SIGNS = 12  # so many different words or signs, and it says something
KEYBOARD = ("qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "qsdfghjklm", "zxcvbnm", "yxcvbnm", "wxcvbn")

_OPENERS = r"(?:(?:sorry|um+|er+|well|honestly|hmm+|ok|oh|i(?: am|['’]m) afraid(?: that)?)\W+)*"
_CANNOT = r"(?:do not|don['’]?t|can ?not|can['’]?t|could not|couldn['’]?t) (?:really |even )?"
_BLANK = (
    rf"(?:i (?:really |just |honestly )?{_CANNOT}(?:know|remember|recall|answer|think of|have)"
    r"(?: (?:an?|any|one|the|that|this|anything)(?: good)?(?: (?:idea|answer|example|situation|time|question))?)?"
    r"|i have no idea|no idea|no clue|idk|dunno|skip(?: this| it)?|pass"
    r"|n\W?a(?:\W+n\W?a){0,99}|next(?: question)?|nothing comes to mind"
    r"|(?:i['’]?m |i am )?not sure)"
)
_CLOSERS = (
    r"(?:\W+(?:sorry|at all|really|right now|now|like (?:that|this)|off the top of my head"
    r"|(?:about |to )?(?:this|that)(?: question| one)?|the answer|how to answer(?: this| that)?))*\W*"
)
_NO_IDEA = re.compile(f"^{_OPENERS}{_BLANK}{_CLOSERS}$", re.IGNORECASE)


class NotSent(Exception):
    """The answer was not taken; the message tells the candidate why and what to do. Nothing is lost."""


class Doubt(NotSent):
    """The answer is very brief. It is taken if the candidate sends it again and is sure."""


def check(answer: str, turns: Sequence[Turn], number: int, sure: bool = True) -> None:
    """Is this an answer to take for turns[number]? Raises NotSent for what should go back to the candidate.

    Raises Doubt for a brief answer of somebody who is not `sure`.
    """
    if not answer.strip():
        raise NotSent("There is no answer yet. Write one, or skip the question.")
    if len(answer) > LONGEST:
        raise NotSent(
            f"Your answer has {len(answer):,} characters; at most {LONGEST:,} can be sent. "
            "Your text is still here: shorten it to about two minutes of speech (300 words)."
        )
    if is_no_answer(answer):
        return
    if len(text.words(answer)) < FEWEST_WORDS:
        raise NotSent("That is too short to give feedback on. Add one concrete example, or skip the question.")
    if is_gibberish(answer):
        raise NotSent("We could not read that as an answer. Edit it and send it again; nothing was spent.")
    same = text.folded(answer)
    for n, turn in enumerate(turns):
        if n != number and turn.answer and text.folded(turn.answer) == same:
            raise NotSent(f"You used this answer for question {n + 1}. Choose another example.")
    if not sure and len(text.words(answer)) < BRIEF_WORDS:
        raise Doubt("That is very brief. Add one concrete example, or send it as it is.")


def is_no_answer(answer: str) -> bool:
    """Says in so many words that there is no answer."""
    return bool(_NO_IDEA.match(text.plain(answer)))


def is_gibberish(answer: str) -> bool:
    """Hardly any different words, or hardly any that a mouth could say. Other scripts, URLs and code pass.

    Where there are no spaces between words, signs are counted.
    """
    if text.is_unspaced(answer):
        signs = [c for c in answer if c.isalpha()]
        return len(signs) >= FEWEST_WORDS and len(set(signs)) <= max(2, min(len(signs) // 10, FEWEST_SIGNS))
    found = [w.casefold() for w in text.words(answer)]
    if len(found) >= FEWEST_WORDS and len(set(found)) <= max(1, min(len(found) // 10, FEWEST_SIGNS)):
        return True
    latin = [w for w in text.words(answer) if w.isascii() and w.isalpha() and len(w) > 3 and not w.isupper()]
    dry = [w for w in latin if not re.search(r"[aeiouyAEIOUY]", w) or _is_mash(w.casefold())]
    return len(latin) >= FEWEST_WORDS and len(dry) > len(latin) / 2


def assessed(answer: str) -> str:
    """The part that is graded: form stripped, repetitions dropped, first 600 words."""
    return text.first_words(text.unrepeated(answer), ASSESSED_WORDS)


def is_cut(answer: str) -> bool:
    """Is some of the answer beyond what is graded?"""
    once = text.unrepeated(answer)
    return text.first_words(once, ASSESSED_WORDS) != once


def _is_mash(word: str) -> bool:
    """Four keys side by side, as fingers fall on them."""
    runs = (word[n : n + 4] for n in range(len(word) - 3))
    return any(run in row or run[::-1] in row for run in runs for row in KEYBOARD)
