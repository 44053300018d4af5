"""The Cloudflare Workers AI dialect: chat in OpenAI's words under /ai/v1, speech to text under /ai/run.

Neurons come from a reply's header or usage where they stand there; else they are computed from the model's rates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from providers import loose, speech
from providers.contracts import ChatReply, Inspection, Recording, Route
from providers.openai_chat import OpenAIChat, neurons_in


@dataclass(frozen=True, kw_only=True)
class Cloudflare(OpenAIChat):
    """`url` ends in /accounts/{id}/ai/v1/chat/completions. A reply in JSON mode is never streamed there."""

    stream_json: bool = False

    def transcribe(self, route: Route, recording: Recording) -> ChatReply:
        """What was said, under the same rules as `complete`."""
        url, body = self._under_ai(f"/run/{route.model}"), speech.run_body_of(recording)
        reply = self.account.http.post_json(url, self.account.bearer, body, recording.timeout)
        found = speech.read_transcript(self.account.payload(reply, route.name, route.limits), route, recording)
        assert found.usage is not None
        return replace(found, usage=replace(found.usage, neurons=neurons_in(reply.headers)))

    def inspect(self, timeout: float) -> Inspection:
        """Which models the account may call; it costs no neurons. Raises ProviderError."""
        url = self._under_ai("/models/search")
        payload = self.account.payload(
            self.account.http.get_json(url, self.account.bearer, timeout), "list of models"
        )
        rows = map(loose.mapping, loose.items(loose.mapping(payload).get("result")))
        return Inspection(frozenset(filter(None, (loose.text(row.get("name")) for row in rows))) or None)

    def schema_format(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """The schema stands right under json_schema."""
        return schema

    def _under_ai(self, path: str) -> str:
        return self.url.removesuffix("/v1/chat/completions") + path
