"""An answer made ready for a grader, and what of the grader's reply holds. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.interview import gate, injections, mistake_detector, rubric, text
from core.interview.model import Feedback, Met, Origin, Turn
from core.interview.replies import ItemReply, TurnReply

LONGEST_SENT = 3_600  # characters as JSON, so that no script and no number of quotation marks makes a call dearer
LONGEST_FOLLOW_UP = 30  # words
LONGEST_REACTION = 600  # characters; more than twice of what is asked for
SCORE_LIKE = re.compile(
    r"\d\s*(?:/|out of|of)\s*(?:5|10|20|100)\b|\b(?:score|grade|mark|points?)\b", re.IGNORECASE
)
PRAISE = re.compile(
    r"\b(?:great|excellent|strong|impressive|outstanding|perfect|fantastic|brilliant|superb)\b", re.IGNORECASE
)
CUT = f"Only the first {gate.ASSESSED_WORDS} words were assessed; aim for about two minutes."
LEFT_OUT = "Part of this answer reads like instructions to the grader. It was left out."
NOTHING_LEFT = "All of this answer reads like instructions to the grader, so there was nothing to assess."
THANKS = "Thank you. What your words show is marked in the report."


@dataclass(frozen=True)
class Paper:
    """`answer` is the part that is assessed, "" where nothing was left; `left_out` are the passages cut before."""

    turn: Turn
    answer: str
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, turn: Turn) -> Paper:
        spans = injections.flagged(turn.answer)
        kept = sent(injections.without(turn.answer, spans))
        return cls(turn, kept if text.words(kept) else "", tuple(span.words for span in spans))

    def nothing_left(self) -> Feedback:
        """For an answer that was nothing but orders: no anchor is met, and no call is needed to know it."""
        probe = self.turn.question.probes.get("D2", "")
        return Feedback(Origin("gate"), NOTHING_LEFT, probe, scored=True, left_out=self.left_out)

    def scored(self, reply: ItemReply, model: str) -> Feedback:
        """The anchors and mistakes that hold, with a reaction of our own."""
        named = injections.flagged(self.answer, [reply.instruction] if reply.instruction else ())
        met = rubric.verified(reply.claimed(), self.answer, named)
        shown = {each.anchor for each in met}
        blamed = mistake_detector.verified(reply.blamed(), injections.without(self.answer, named), shown)
        left_out = (*self.left_out, *(span.words for span in named))
        long = gate.is_cut(self.turn.answer) or sent(self.turn.answer) != gate.assessed(self.turn.answer)
        return Feedback(
            origin=Origin("ai", model, rubric.VERSION),
            reaction=THANKS,
            follow_up=self.turn.question.probes.get(rubric.first_missing(frozenset(shown)) or "D3", ""),
            scored=True,
            met=met,
            mistakes=mistake_detector.merged(blamed, mistake_detector.local(self.turn)),
            note=" ".join([LEFT_OUT] * bool(left_out) + [CUT] * long),
            left_out=left_out,
        )

    def answered(self, reply: TurnReply, model: str, asked: Sequence[str]) -> Feedback:
        """The same with the interviewer's own words, where they may be shown. `asked` is what was asked before."""
        found = self.scored(reply, model)
        follow_up = _follow_up(reply, frozenset(m.anchor for m in found.met), asked)
        return replace(found, reaction=_reaction(reply, found.met), follow_up=follow_up or found.follow_up)


def sent(answer: str) -> str:
    """The part of an answer that is put before a grader."""
    kept = gate.assessed(answer)
    while (over := written(kept) - LONGEST_SENT) > 0:
        kept = kept[: -max(1, over // 2)]
    return kept


def written(answer: str) -> int:
    """Its characters as JSON."""
    return len(json.dumps(answer, ensure_ascii=False)) - 2


def _reaction(reply: TurnReply, met: Sequence[Met]) -> str:
    """The model's, unless it hands out marks or praises what no verified quote shows."""
    said = text.clean(reply.reaction)
    praised = PRAISE.search(said) and not any(each.anchor[0] in "RE" for each in met)
    fits = 3 <= len(said) <= LONGEST_REACTION
    return said if fits and not SCORE_LIKE.search(said) and not praised else THANKS


def _follow_up(reply: TurnReply, met: frozenset[str], asked: Sequence[str]) -> str:
    """The model's, if it is a short single question about something missing that was not asked before; else ""."""
    said = text.clean(reply.ask)
    single = said.count("?") + said.count("？") == 1
    new = text.folded(said) not in map(text.folded, asked)
    fits = len(text.words(said)) <= LONGEST_FOLLOW_UP and not SCORE_LIKE.search(said)
    return said if single and new and fits and reply.ask_about in rubric.QUOTED - met else ""
