"""Reviews of resumes: kept for the candidate who asked, had again for nothing, and gone when that is wanted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.balancer import AllRoutesOut
from core.interview.resume_review import ResumeReviewer
from core.interview.review_store import MOST_KEPT, Highlight, ResumeReview, ReviewStore
from core.stores.contract import StoreError
from core.tasks import resume as resume_task
from tests.fakes.exchange import Exchange
from tests.fakes.stores import BACKENDS, Store
from tests.fakes.upstream import FakeUpstream
from tests.interviews import app

RESUME = "Mira Okafor, nurse since 2019. I cut waiting times from 40 to 25 minutes. CANARY-hobby"
JOB = "We need a nurse with triage and Python."
REVIEW = ResumeReview(("triage",), (Highlight("cut", "why", "nurse"),), ("gap",), ("What?",), "alpha/model")
REPLY = json.dumps(
    {"skills": ["nurse"], "highlights": [], "gaps": ["No triage."], "questions": ["Why nursing? CANARY-reply"]}
)


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return BACKENDS[request.param](tmp_path)


class Desk:
    """A reviewer over a provider of its own, with the store it keeps its reviews in."""

    def __init__(self, folder: Path, store: Store, fake: FakeUpstream) -> None:
        self.app = app(folder, {"alpha": fake})
        self.store = ReviewStore(store.documents, retention_days=1)
        self.reviewer = ResumeReviewer(self.app.balancer, resume_task(10), lambda: "0" * 16, self.store)


def reply(_: Exchange) -> str:
    return REPLY


def test_a_review_is_there_for_its_candidate_and_content_alone(store: Store) -> None:
    reviews = ReviewStore(store.documents, retention_days=1)
    reviews.put("ada", "text", REVIEW)
    assert reviews.get("ada", "text") == REVIEW
    assert reviews.get("ada", "text ") is None
    assert reviews.get("eve", "text") is None


def test_the_newest_few_are_kept(store: Store) -> None:
    reviews = ReviewStore(store.documents, retention_days=1)
    for number in range(MOST_KEPT + 1):
        reviews.put("ada", f"text {number}", REVIEW)
    there = [bool(reviews.get("ada", f"text {number}")) for number in range(MOST_KEPT + 1)]
    assert there == [False, *[True] * MOST_KEPT]


def test_forgetting_leaves_nothing_of_one_candidate_and_all_of_the_other(store: Store) -> None:
    reviews = ReviewStore(store.documents, retention_days=1)
    reviews.put("ada", "text", REVIEW)
    reviews.put("eve", "text", REVIEW)
    reviews.forget("ada")
    reviews.forget("nobody")
    assert reviews.get("ada", "text") is None
    assert reviews.get("eve", "text") == REVIEW
    assert len(list(store.documents.keys())) == 1


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"x": 1}', "null"])
def test_what_cannot_be_read_counts_as_nothing_kept(kept: str, store: Store) -> None:
    reviews = ReviewStore(store.documents, retention_days=1)
    reviews.put("ada", "text", REVIEW)
    (key,) = store.documents.keys()
    assert store.documents.replace(key, store.documents.get(key), kept)
    assert reviews.get("ada", "text") is None
    reviews.put("ada", "text", REVIEW)
    assert reviews.get("ada", "text") == REVIEW


def test_the_same_words_cost_one_call_and_another_candidate_another(store: Store, tmp_path: Path) -> None:
    with FakeUpstream(reply=reply) as fake:
        desk = Desk(tmp_path, store, fake)
        assert desk.reviewer.kept_for("ada", RESUME, JOB) is None
        first = desk.reviewer.review_for("ada", RESUME, JOB)
        assert desk.reviewer.review_for("ada", f" {RESUME}\u200b\n", JOB) == first
        assert desk.reviewer.kept_for("ada", RESUME, JOB) == first
        assert fake.counts.received == 1
        desk.reviewer.review_for("ada", RESUME, JOB + " Also Go.")
        desk.reviewer.review_for("eve", RESUME, JOB)
        assert fake.counts.received == 3
        desk.reviewer.forget("ada")
        desk.reviewer.review_for("ada", RESUME, JOB)
        assert fake.counts.received == 4


def test_nothing_is_kept_for_who_cannot_be_known_again(store: Store, tmp_path: Path) -> None:
    with FakeUpstream(reply=reply) as fake:
        desk = Desk(tmp_path, store, fake)
        desk.reviewer.review_for("", RESUME)
        desk.reviewer.review_for("", RESUME)
        assert fake.counts.received == 2
    assert list(store.documents.keys()) == []


@pytest.mark.parametrize("step", ["500", "drop", "garbage"])
def test_one_press_of_the_button_is_one_call_whatever_comes_back(step: str, store: Store, tmp_path: Path) -> None:
    with FakeUpstream(reply=reply) as fake:
        fake.always(step)
        desk = Desk(tmp_path, store, fake)
        with pytest.raises(AllRoutesOut):
            desk.reviewer.review_for("ada", RESUME, JOB)
        assert fake.counts.received == 1
    assert list(store.documents.keys()) == []


def test_a_useless_reply_is_not_asked_for_again(store: Store, tmp_path: Path) -> None:
    def useless(_: Exchange) -> str:
        return "I cannot do that."

    with FakeUpstream(reply=useless) as fake:
        desk = Desk(tmp_path, store, fake)
        with pytest.raises(AllRoutesOut):
            desk.reviewer.review_for("ada", RESUME, JOB)
        assert fake.counts.received == 1


def test_a_candidate_is_no_key_and_no_resume_leaves_the_store(tmp_path: Path) -> None:
    """The token and the words stand nowhere in the keys; the words of the resume nowhere but in the store."""
    folder = tmp_path / "reviews"
    own = BACKENDS["disk"](folder)
    with FakeUpstream(reply=reply) as fake:
        desk = Desk(tmp_path, own, fake)
        desk.reviewer.review_for("token-of-ada", RESUME, JOB)
        desk.app.history.flush()
    assert "token-of-ada" not in "".join(own.documents.keys())
    elsewhere = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert elsewhere
    assert not [path for path in elsewhere if b"CANARY" in path.read_bytes()]


def test_an_unreadable_store_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    class Broken:
        def get(self, key: str) -> str | None:
            raise StoreError("the disk is gone")

    with FakeUpstream(reply=reply) as fake:
        alpha = app(tmp_path, {"alpha": fake})
        kept = ReviewStore(Broken(), retention_days=1)  # type: ignore[arg-type]
        reviewer = ResumeReviewer(alpha.balancer, resume_task(10), lambda: "0" * 16, kept)
        with pytest.raises(StoreError):
            reviewer.review_for("ada", RESUME)
        assert fake.counts.received == 0
