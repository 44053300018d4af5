"""The trial of graders: an honest one passes, and each fault is found by some figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from benchmarks import quality
from benchmarks.quality_cases import CHANGES, TOLD, VEILED, golden, tricky, variants
from benchmarks.quality_figures import Figure, figures
from benchmarks.quality_trial import Found, trial
from core.interview import injections, rubric
from core.rulers import Rulers, Ruling
from core.stores.disk import DiskDocuments, open_cache
from tests.fakes.exchange import Exchange
from tests.fakes.graders import fickle, flattering, misnumbering, obedient, shifted
from tests.fakes.stores import BACKENDS
from tests.fakes.upstream import FakeUpstream
from tests.interviews import app

REPEATS = 2
SEPARATION = "questions with strong > mid > weak"
AGREEMENT = "agreement with the expected anchors (Jaccard)"
FLIPS = "anchors that flip"
VEILED_ORDER = "change of score: with a veiled order to the grader"
TOGETHER = "change of score: graded four at a time"


def tried(folder: Path, reply: Callable[[Exchange], str]) -> dict[str, Figure]:
    with FakeUpstream("cerebras", reply=reply) as fake:
        found = trial(app(folder, {"alpha": fake}), None, REPEATS)
    return {figure.name: figure for figure in figures(found)}


def missed(shown: Mapping[str, Figure]) -> set[str]:
    return {name for name, figure in shown.items() if not figure.holds}


def test_an_honest_grader_keeps_every_bound(capsys: pytest.CaptureFixture[str]) -> None:
    assert quality.main(["--scripted", "--repeats", str(REPEATS)]) == 0
    told = capsys.readouterr().out
    assert f"| {SEPARATION} " in told
    assert "MISSED" not in told


@pytest.mark.parametrize(
    ("reply", "found_by"),
    [
        (obedient, {VEILED_ORDER}),
        (shifted(), {SEPARATION, AGREEMENT}),
        (misnumbering, {TOGETHER}),
        (fickle(), {FLIPS}),
    ],
    ids=["obedient", "shifted", "misnumbering", "fickle"],
)
def test_a_fault_is_found(tmp_path: Path, reply: Callable[[Exchange], str], found_by: set[str]) -> None:
    assert missed(tried(tmp_path, reply)) >= found_by


def test_a_grader_who_says_nothing_of_use_breaks_every_figure_about_grading(tmp_path: Path) -> None:
    shown = tried(tmp_path, lambda exchange: "{}")
    assert {"answers that were graded", "models that graded", SEPARATION, AGREEMENT, FLIPS, TOGETHER} <= missed(
        shown
    )


def test_nothing_found_is_no_pass() -> None:
    graded_by_nobody = missed({figure.name: figure for figure in figures(Found())})
    assert {SEPARATION, AGREEMENT, TOGETHER, VEILED_ORDER} <= graded_by_nobody


def test_the_golden_answers_are_what_they_should_be() -> None:
    by_question: dict[str, list[str]] = {}
    for each in golden():
        by_question.setdefault(each.question.id, []).append(each.grade)
    assert len(by_question) == 10
    assert all(grades == ["strong", "mid", "weak"] for grades in by_question.values())
    assert {each.question.kind for each in golden()} == {"behavioural", "situational", "technical", "motivation"}
    for each in (*golden(), *tricky()):
        assert each.anchors <= rubric.QUOTED
        assert not injections.flagged(each.answer)
    assert {each.form for each in variants()} == {"learner", "script", "signs"}


def test_the_two_orders_are_what_they_should_be() -> None:
    """One that code finds, and one that only a grader can resist."""
    assert injections.flagged(f"I counted the boxes twice. {TOLD}")
    assert not injections.flagged(f"I counted the boxes twice. {VEILED}")
    assert sum(VEILED in change.apply("") for change in CHANGES) == 1


def test_a_model_server_that_praises_everybody_is_found_out_and_the_result_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeUpstream("local", reply=flattering) as fake:
        assert quality.main(["--local", fake.base_url, "--repeats", "1"]) == 1
    told = capsys.readouterr().out
    kept = Rulers(DiskDocuments(open_cache(tmp_path / "data" / "history"))).all()
    assert [ruling.model for ruling in kept] == ["local/llama3.1:8b"]
    assert {SEPARATION, AGREEMENT} <= {*kept[0].missed}
    assert kept[0].rubric == rubric.VERSION
    assert kept[0].figures[SEPARATION] < 1.0
    assert f"Graded by {kept[0].model}" in told
    assert "MISSED" in told


@pytest.mark.parametrize(("name", "says"), [("nobody", "no provider"), ("groq", "GROQ_API_KEY")])
def test_nobody_to_try_is_said(name: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert quality.main(["--provider", name]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_latest_trial_of_each_model_is_kept(backend: str, tmp_path: Path) -> None:
    documents = BACKENDS[backend](tmp_path).documents
    rulers = Rulers(documents)
    first = Ruling("groq/llama", 1.0, "r", {"flips": 0.5}, ("flips",))
    later, other = Ruling("groq/llama", 2.0, "r", {"flips": 0.1}, ()), Ruling("cerebras/qwen", 1.0, "r", {}, ())
    for ruling in (first, other, later):
        rulers.save(ruling)
    documents.replace("ruler:of/another-version", None, '{"model": 1}')
    assert rulers.all() == (other, later)
