"""Interviews saved after every step and found again only by their token. Only a hash of the token is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from pydantic import TypeAdapter, ValidationError

from core.interview.model import Interview
from core.stores.contract import Documents, StoreError

ATTEMPTS = 50
_INTERVIEW = TypeAdapter(Interview)


class UnknownInterview(Exception):
    """No interview can be had with this token: never made, deleted, past its retention, or unreadable."""


class Archive:
    def __init__(self, documents: Documents, retention_days: int, new_token: Callable[[], str]) -> None:
        self._documents = documents
        self._ttl = retention_days * 86_400.0
        self._new_token = new_token

    def add(self, interview: Interview) -> str:
        """Save a new interview and return its token. Raises StoreError."""
        token = self._new_token()
        if not self._documents.replace(_key(token), None, _dump(interview), self._ttl):
            raise StoreError("the token is taken")
        return token

    def load(self, token: str) -> Interview:
        """Raises UnknownInterview, StoreError."""
        return self._load(token)[1]

    def change(self, token: str, step: Callable[[Interview], Interview]) -> Interview:
        """Apply `step` to the interview as it stands and save the result before returning it.

        If somebody else saved in between, `step` is applied again to what they saved, so no change is lost.
        Whatever `step` raises leaves the interview as it was. Raises UnknownInterview, StoreError.
        """
        for _ in range(ATTEMPTS):
            text, interview = self._load(token)
            changed = step(interview)
            if changed == interview or self._documents.replace(_key(token), text, _dump(changed), self._ttl):
                return changed
        raise StoreError("the interview cannot be saved: too many writers")

    def check(self) -> None:
        """Raises StoreError if interviews cannot be read."""
        self._documents.get("check")

    def delete(self, token: str) -> None:
        """Gone at once; deleting what is not there is fine. Raises StoreError."""
        for _ in range(ATTEMPTS):
            text = self._documents.get(_key(token))
            if text is None or self._documents.replace(_key(token), text, None):
                return
        raise StoreError("the interview cannot be deleted: too many writers")

    def _load(self, token: str) -> tuple[str, Interview]:
        text = self._documents.get(_key(token))
        if text is None:
            raise UnknownInterview(
                "This interview is not here: it was deleted, it is too old, or the link is wrong."
            )
        try:
            return text, _INTERVIEW.validate_json(text)
        except ValidationError:
            raise UnknownInterview("This interview was saved by another version and cannot be read.") from None


def _key(token: str) -> str:
    return "interview:" + hashlib.sha256(token.encode()).hexdigest()


def _dump(interview: Interview) -> str:
    return _INTERVIEW.dump_json(interview).decode()
