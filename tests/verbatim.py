"""A fake that answers in somebody else's words: any status, body and headers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.answer import Answer
from tests.fakes.server import Call
from tests.fakes.upstream import FakeUpstream


@dataclass(frozen=True)
class Words:
    """`body` is sent as JSON, or as it is when it is text."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.body if isinstance(self.body, str) else json.dumps(self.body)


class Verbatim(FakeUpstream):
    """Refuses every request in the words of `says`; serves while there are none.

    `meanwhile` happens once, when the next request has arrived and before it is answered.
    """

    says: Words | None = None
    meanwhile: Callable[[], None] | None = None

    def _respond(self, call: Call) -> Answer:
        says, meanwhile = self.says, self.meanwhile
        self.always("429" if says else "ok")
        answer = super()._respond(call)
        if meanwhile:
            self.meanwhile = None
            meanwhile()
        if says is None:
            return answer
        kind = "application/json" if says.text[:1] in ("{", "[") else "text/html"
        return Answer(says.status, (says.text.encode(),), {"Content-Type": kind, **says.headers})
