"""Interviews are kept for their token alone, as long as promised and no longer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.interview.archive import Archive, UnknownInterview
from core.interview.model import Interview, Turn
from core.stores.contract import StoreError
from core.stores.disk import DiskDocuments, open_cache
from tests.interviews import all_met, interview, question, turn

TOKEN = "token-0123456789-abcdefghij"
WEEK = 7 * 86_400


def archive(folder: Path, token: str = TOKEN) -> Archive:
    return Archive(DiskDocuments(open_cache(folder)), 7, lambda: token)


def later(folder: Path, seconds: float) -> None:
    """Make everything in the store older by so many seconds."""
    with sqlite3.connect(folder / "cache.db") as database:
        database.execute("UPDATE Cache SET expire_time = expire_time - ?", (seconds,))
    database.close()


def drafted(text: str) -> Callable[[Interview], Interview]:
    return lambda i: replace(i, turns=(replace(i.turns[0], draft=text), *i.turns[1:]))


def test_what_is_saved_comes_back_the_same(tmp_path: Path) -> None:
    whole = interview(
        turn(met=all_met("R1 E4", "from 12 to 3")), Turn(question("technical"), draft="Ünfinished \u2028")
    )
    token = archive(tmp_path).add(whole)
    assert archive(tmp_path).load(token) == whole


def test_only_a_hash_of_the_token_is_on_the_disk(tmp_path: Path) -> None:
    kept = archive(tmp_path)
    kept.add(interview(turn("A very particular answer")))
    kept.change(TOKEN, drafted("x"))
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"A very particular answer" in stored
    assert TOKEN.encode() not in stored


@pytest.mark.parametrize("wrong", ["", "x", TOKEN + "x", TOKEN.upper(), "../" + TOKEN, "\u2028", "%", "cooldowns"])
def test_another_token_finds_nothing(tmp_path: Path, wrong: str) -> None:
    kept = archive(tmp_path)
    kept.add(interview(turn()))
    with pytest.raises(UnknownInterview):
        kept.load(wrong)
    with pytest.raises(UnknownInterview):
        kept.change(wrong, drafted("x"))
    kept.delete(wrong)
    assert kept.load(TOKEN)


def test_a_deleted_interview_is_gone_for_everybody(tmp_path: Path) -> None:
    kept, other = archive(tmp_path), archive(tmp_path)
    kept.add(interview(turn()))
    other.delete(TOKEN)
    with pytest.raises(UnknownInterview):
        kept.load(TOKEN)
    kept.delete(TOKEN)


def test_after_its_retention_an_interview_is_unknown_and_swept(tmp_path: Path) -> None:
    kept = archive(tmp_path)
    kept.add(interview(turn()))
    later(tmp_path, WEEK - 60)
    assert kept.load(TOKEN)
    later(tmp_path, 61)
    with pytest.raises(UnknownInterview):
        kept.load(TOKEN)
    assert DiskDocuments(open_cache(tmp_path)).sweep() == 1


def test_every_change_starts_the_retention_anew(tmp_path: Path) -> None:
    kept = archive(tmp_path)
    kept.add(interview(turn()))
    later(tmp_path, WEEK - 60)
    kept.change(TOKEN, drafted("still here"))
    later(tmp_path, WEEK - 60)
    assert kept.load(TOKEN).turns[0].draft == "still here"


def test_a_step_that_fails_changes_nothing(tmp_path: Path) -> None:
    def fail(found: Interview) -> Interview:
        raise ZeroDivisionError

    kept = archive(tmp_path)
    kept.add(interview(turn()))
    with pytest.raises(ZeroDivisionError):
        kept.change(TOKEN, fail)
    assert kept.load(TOKEN) == interview(turn())


def test_nobodys_change_is_lost(tmp_path: Path) -> None:
    kept, other = archive(tmp_path), archive(tmp_path)
    kept.add(interview(turn()))
    seen: list[str] = []

    def interrupted(found: Interview) -> Interview:
        if not seen:
            other.change(TOKEN, drafted("theirs"))
        seen.append(found.turns[0].draft)
        return drafted(found.turns[0].draft + " and mine")(found)

    kept.change(TOKEN, interrupted)
    assert seen == ["", "theirs"]
    assert kept.load(TOKEN).turns[0].draft == "theirs and mine"


def test_writers_without_end_are_a_store_error(tmp_path: Path) -> None:
    kept, other = archive(tmp_path), archive(tmp_path)
    kept.add(interview(turn()))
    count = 0

    def interrupted(found: Interview) -> Interview:
        nonlocal count
        count += 1
        other.change(TOKEN, drafted(str(count)))
        return drafted("mine")(found)

    with pytest.raises(StoreError):
        kept.change(TOKEN, interrupted)


def test_a_token_is_never_given_twice(tmp_path: Path) -> None:
    archive(tmp_path).add(interview(turn()))
    with pytest.raises(StoreError):
        archive(tmp_path).add(interview(turn("Somebody else's answer")))
    assert archive(tmp_path).load(TOKEN) == interview(turn())


def test_what_cannot_be_read_is_unknown_and_shows_nothing(tmp_path: Path) -> None:
    documents = DiskDocuments(open_cache(tmp_path))
    kept = archive(tmp_path)
    kept.add(interview(turn("secret words")))
    key = next(documents.keys())
    text = documents.get(key)
    assert text
    documents.replace(key, text, text.replace('"full"', '"secret mode"'))
    with pytest.raises(UnknownInterview) as caught:
        kept.load(TOKEN)
    assert "secret" not in str(caught.value)


def test_what_is_deleted_stands_in_no_file_any_more(tmp_path: Path) -> None:
    kept = archive(tmp_path)
    token = kept.add(interview(turn("CANARY first version")))
    for n in range(20):
        kept.change(token, lambda i, n=n: replace(i, turns=(turn(f"CANARY version {n} " + "x" * 5_000),)))  # type: ignore[misc]
    assert any(b"CANARY" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    kept.delete(token)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"CANARY" in path.read_bytes()]
