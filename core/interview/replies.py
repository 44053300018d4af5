"""What a grader must send: flat, small enough for the weakest model, and without any field for a number.

Only the question's id and the anchors have to be right; whatever else is missing or odd is made up for by code, so
that one stray field does not cost a whole reply.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.interview.model import Met, Mistake, MistakeCode

MOST_MET, MOST_MISTAKES, MOST_ITEMS = 32, 6, 12
Anchor = Annotated[str, Field(pattern=r"^[RSED][1-4]$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


def _is(shape: type[BaseModel], item: object) -> bool:
    try:
        shape.model_validate(item)
    except ValidationError:
        return False
    return True


def _salvaged(shape: type[BaseModel], most: int, *, needed: bool = True) -> BeforeValidator:
    """Keep the items of a list that are of the shape, so that one stray item does not cost a whole reply.

    What is no list at all is refused where one is `needed`, else it counts as an empty one.
    """

    def keep(found: object) -> object:
        if not isinstance(found, list):
            return found if needed else []
        return [item for item in found if _is(shape, item)][:most]

    return BeforeValidator(keep)


def _text_or_nothing(found: object) -> object:
    """Half a surrogate pair, which no store can save, is dropped."""
    return found.encode("utf-8", "ignore").decode() if isinstance(found, str) else ""


Loose = Annotated[str, BeforeValidator(_text_or_nothing)]


class MetReply(_Strict):
    a: Anchor
    q: str = Field(min_length=1, max_length=400)


class MistakeReply(_Strict):
    code: MistakeCode
    q: Loose = ""
    fix: str = Field(min_length=3, max_length=400)


class ItemReply(_Strict):
    """One graded answer of a batch."""

    qid: str
    met: Annotated[list[MetReply], _salvaged(MetReply, MOST_MET)]
    mistakes: Annotated[list[MistakeReply], _salvaged(MistakeReply, MOST_MISTAKES, needed=False)] = []
    instruction: Loose = ""

    def claimed(self) -> list[Met]:
        return [Met(each.a, each.q) for each in self.met]

    def blamed(self) -> list[Mistake]:
        return [Mistake(each.code, each.q or None, each.fix) for each in self.mistakes]


class TurnReply(ItemReply):
    """One graded answer, with what the interviewer says next."""

    reaction: Loose = ""
    ask_about: Loose = ""
    ask: Loose = ""


class BatchReply(_Strict):
    items: Annotated[list[ItemReply], _salvaged(ItemReply, MOST_ITEMS)]
