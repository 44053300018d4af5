"""The interviews that one browser remembers."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.interview.archive import Archive, UnknownInterview
from core.interview.engine import Engine
from core.interview.model import Interview, Origin, Turn
from core.interview.past import MOST, Past, Ruler, Shelf, comparable
from core.interview.questions import plan
from core.stores.disk import DiskDocuments, open_cache
from pages.parts.past_keeper import Kept
from tests.answers import STORY
from tests.fakes.asking import NOON
from tests.interviews import SETUP, all_met, app, feedback, interview, question, turn

MET = all_met("R1 R2 E2", "I")
DAY = 86_400.0


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    numbers = count(1)
    documents = DiskDocuments(open_cache(tmp_path / "data" / "archive"))
    return Archive(documents, 7, lambda: f"token-{next(numbers):012}")


@pytest.fixture
def engine(tmp_path: Path, archive: Archive) -> Engine:
    """The real engine, over what `archive` keeps."""
    return app(tmp_path, {}).engine


def scored(at: float = NOON, model: str = "alpha/m", version: str = "1", *, met: str = "R1 R2 E1") -> Interview:
    answered = turn(met=all_met(met, "I"))
    told = replace(feedback(all_met(met, "I")), origin=Origin("ai", model, version))
    return replace(interview(replace(answered, feedback=told)), created_at=at)


def unscored(at: float = NOON) -> Interview:
    told = replace(feedback(), origin=Origin("coach"), scored=False)
    return replace(interview(replace(turn(), feedback=told)), mode="offline", created_at=at)


# The list


def test_the_list_tells_what_became_of_each_the_latest_first(engine: Engine, archive: Archive) -> None:
    begun = replace(
        interview(turn(), Turn(replace(question(), id="b-2"))),
        finished_at=None,
        created_at=NOON + DAY,
        mode="full",
    )
    tokens = [archive.add(each) for each in (scored(), unscored(NOON + 2 * DAY), begun)]
    offline, open_, first = Shelf(engine).summaries(tokens)
    assert [p.token for p in (first, offline, open_)] == tokens
    assert (first.role, first.at, first.mode, first.open) == ("Retail assistant", NOON, "full", 0)
    assert first.overall is not None
    assert first.band
    assert first.ruler == Ruler("alpha/m", "1")
    assert (offline.overall, offline.band, offline.ruler, offline.mode) == (None, "", None, "offline")
    assert (open_.open, open_.overall) == (1, None)


def test_an_interview_that_still_runs_has_no_score_yet(engine: Engine, archive: Archive) -> None:
    running = replace(scored(), turns=(*scored().turns, Turn(question(number=2))), finished_at=None)
    (told,) = Shelf(engine).summaries([archive.add(running)])
    assert (told.overall, told.band, told.open) == (None, "", 1)


def test_unknown_tokens_are_passed_over(engine: Engine, archive: Archive) -> None:
    token = archive.add(scored())
    gone = archive.add(scored())
    engine.delete(gone)
    assert [p.token for p in Shelf(engine).summaries(["nobody", gone, token, token, ""])] == [token]


def test_of_many_only_the_latest_are_told(engine: Engine, archive: Archive) -> None:
    tokens = [archive.add(scored(NOON + n)) for n in range(MOST + 3)]
    assert [p.token for p in Shelf(engine).summaries(tokens)] == tokens[: -MOST - 1 : -1]


# What was asked


def test_what_was_seen_is_told_the_latest_first_and_not_asked_again(engine: Engine, archive: Archive) -> None:
    setup = replace(SETUP, questions=8)
    shelf = Shelf(engine)
    tokens: list[str] = []
    asked: list[list[str]] = []
    for seed in range(4):
        seen = shelf.seen(tokens)
        planned = plan(setup, random.Random(seed), seen)
        assert not {q.id for q in planned} & set(seen)
        asked.append([q.id for q in planned])
        whole = replace(interview(*map(Turn, planned)), created_at=NOON + seed)
        tokens.append(archive.add(whole))
    assert list(shelf.seen(tokens)) == [id_ for ids in reversed(asked) for id_ in ids]


# Deleting


def test_deleting_all_leaves_no_word_of_any(engine: Engine, archive: Archive, tmp_path: Path) -> None:
    def files_with(words: bytes) -> list[Path]:
        return [path for path in tmp_path.rglob("*") if path.is_file() and words in path.read_bytes()]

    kept = archive.add(scored())
    tokens = [archive.add(interview(turn(f"{STORY} CANARY {n}"))) for n in range(3)]
    assert files_with(b"CANARY")
    Shelf(engine).forget(["nobody", *tokens])
    assert not files_with(b"CANARY")
    for token in tokens:
        with pytest.raises(UnknownInterview):
            engine.load(token)
    assert engine.load(kept)


# The trend


def past(overall: int | None, at: float, ruler: Ruler | None) -> Past:
    return Past(f"token-{at}", "Nurse", at, "full", 0, overall, "Good", ruler)


A, B, NEWER = Ruler("alpha", "1"), Ruler("beta", "1"), Ruler("alpha", "2")


def test_the_trend_is_of_one_grader_and_one_rubric_the_oldest_first() -> None:
    every = [past(50, 5, A), past(40, 4, B), past(30, 3, A), past(None, 6, None), past(20, 2, NEWER)]
    assert [p.overall for p in comparable(every)] == [30, 50]
    assert comparable([past(None, 1, None)]) == comparable([]) == ()


def test_an_interview_with_two_graders_compares_with_none(engine: Engine, archive: Archive) -> None:
    mixed = replace(scored(), turns=(*scored().turns, *scored(model="beta/m").turns))
    (told,) = Shelf(engine).summaries([archive.add(mixed)])
    assert told.overall is not None
    assert told.ruler is None
    assert comparable([told]) == ()


# The page

SCRIPT = """
import streamlit as st
from core.app import current
from core.interview.past import Shelf
from pages.parts.past import show_past
from pages.parts import past_keeper

forgotten = st.session_state.setdefault("forgotten", [])
show_past(Shelf(current().engine), forgotten.append)
st.session_state.left = past_keeper.kept()
"""


def page(*tokens: str) -> AppTest:
    found = AppTest.from_string(SCRIPT, default_timeout=30)
    found.session_state.past_kept = Kept(tokens, "candidate-0123456789")
    return found.run()


def shown(page: AppTest) -> str:
    assert not page.exception
    return "\n".join([e.value for kind in (page.subheader, page.markdown, page.caption) for e in kind])


def test_nothing_is_shown_where_the_browser_knows_of_none() -> None:
    assert shown(page()) == ""
    assert shown(page("token-of-nobody-at-all")) == ""


def test_the_page_lists_opens_and_deletes(archive: Archive) -> None:
    low, high = scored(NOON, met="R1 R2"), scored(NOON + DAY, met="R1 R2 E1 E2 D1")
    evil = replace(unscored(NOON + 2 * DAY), setup=replace(SETUP, role="**Nurse** [x](http://evil.example)"))
    tokens = [archive.add(each) for each in (low, high, evil)]
    listed = page(*tokens)
    words = shown(listed)
    assert words.count("of 100") == 2
    assert "Not scored" in words
    assert "[x](http" not in words
    chart = listed.get("vega_lite_chart")[0].proto
    assert "Overall scores out of 100 of 2 interviews, oldest first" in chart.alt
    listed.button(key=f"forget-{tokens[0]}").click().run()
    assert shown(listed).count("of 100") == 1
    assert not listed.get("vega_lite_chart"), "one score is no trend"
    listed.button(key=f"open-{tokens[1]}").click().run()
    assert listed.query_params["interview"] in (tokens[1], [tokens[1]])


def test_deleting_everything_forgets_the_candidate_too(archive: Archive) -> None:
    tokens = [archive.add(scored(NOON + n)) for n in range(2)]
    listed = page(*tokens)
    listed.button(key="forget-all").click().run()
    assert shown(listed) == ""
    assert listed.session_state["forgotten"] == ["candidate-0123456789"]
    assert listed.session_state["left"].tokens == ()
    for token in tokens:
        with pytest.raises(UnknownInterview):
            archive.load(token)
