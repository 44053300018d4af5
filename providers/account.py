"""One account at a provider: who asks, and how whatever comes back is judged. Every dialect builds on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from providers.classify import classify, error_in_success
from providers.contracts import Limit, Told
from providers.errors import Down, ProviderError
from providers.http import Http, HttpReply
from providers.told import Tell, joined, told_by_headers

SHORTEST_SECRET = 8  # characters


@dataclass(frozen=True, kw_only=True)
class Account:
    """`dialect` names the table of codes that its errors come from. `tells` are the headers (lower-case) that
    speak of limits. An empty `key` is a server of one's own that asks for none."""

    http: Http = field(repr=False)
    key: str = field(repr=False)
    dialect: str = "openai-chat"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tells: Mapping[str, Tell] = field(default_factory=dict)

    @property
    def bearer(self) -> dict[str, str]:
        """The row's headers, and the key in the usual place."""
        return {**self.headers, **({"Authorization": f"Bearer {self.key}"} if self.key else {})}

    def payload(self, reply: HttpReply, where: str, limits: tuple[Limit, ...] = ()) -> Any:
        """The JSON of a success. Raises the ProviderError for everything else; its message opens with `where`."""
        if not 200 <= reply.status < 300:
            raise self.failure(reply, where, limits)
        if reply.is_page:
            raise Down(f"{where}: answered with a web page", outcome="answered")
        payload = reply.json(where)
        if error_in_success(payload) is not None:
            raise self.failure(reply, where, limits)
        return payload

    def failure(self, reply: HttpReply, where: str, limits: tuple[Limit, ...] = ()) -> ProviderError:
        """The key is taken out first: some providers repeat it in their errors, in shapes nobody can foresee.

        One that is too short to be a secret (an own server's "x") would take half of the words along.
        """
        secret = len(self.key) >= SHORTEST_SECRET
        return classify(
            reply.status,
            reply.headers,
            reply.text.replace(self.key, "***") if secret else reply.text,
            dialect=self.dialect,
            now=self.http.clock.now(),
            where=where,
            limits=limits,
        )

    def told(self, headers: Mapping[str, str]) -> tuple[Told, ...]:
        return told_by_headers(self.tells, headers)

    @contextmanager
    def telling(self, headers: Mapping[str, str]) -> Iterator[None]:
        """Whatever fails in here also says what the headers say of the provider's limits."""
        try:
            yield
        except ProviderError as error:
            error.told = joined((*error.told, *self.told(headers)))
            raise
