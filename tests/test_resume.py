"""Reading resume files: good ones, hostile ones and the sentence for each, limits of the parser process."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from core.interview import resume_analyzer
from core.interview.resume_analyzer import ResumeError, clean_text, read_resume
from tests import files
from tests.hostile import CUT, DAMAGED, GOOD, HOSTILE, SECONDS, SLOW


def sentences(count: int) -> str:
    rng = Random(7)
    return " ".join("".join(rng.choices("abcdefghij", k=6)) for _ in range(count))


@pytest.mark.parametrize("case", HOSTILE)
def test_each_bad_file_gets_its_sentence_in_time(case: str, caplog: pytest.LogCaptureFixture) -> None:
    name, build, sentence = HOSTILE[case]
    data = build()
    started = time.monotonic()
    with pytest.raises(ResumeError) as caught:
        read_resume(name, data)
    assert time.monotonic() - started < SECONDS
    assert str(caught.value) == sentence
    assert files.MARK not in str(caught.value)
    assert caplog.text == ""


def test_a_pdf_is_read_line_by_line() -> None:
    result = read_resume("Resume.PDF", GOOD)
    assert result.text == clean_text(files.RESUME).text
    assert result.warnings == ()


def test_a_pdf_with_an_empty_password_is_read() -> None:
    assert files.ACHIEVEMENT in read_resume("a.pdf", files.encrypted("")).text


def test_wrapped_lines_are_joined_and_headings_are_not() -> None:
    wrapped = (
        "Lowered the yearly cost of the nightly data-\nwarehouse jobs in the eastern region by\n40%, saving,\n"
    )
    lines = read_resume(
        "a.pdf", files.pdf(f"{wrapped}two hours\nSkills\npython, sql\n{files.RESUME}")
    ).text.splitlines()
    joined = "Lowered the yearly cost of the nightly data-warehouse jobs in the eastern region by 40%, saving,"
    assert lines[:3] == [f"{joined} two hours", "Skills", "python, sql"]


def test_pages_that_gave_no_text_are_counted_and_blank_ones_are_not() -> None:
    mixed = read_resume("a.pdf", files.joined(GOOD, files.scan(2), files.pdf("")))
    assert mixed.warnings == ("We read 1 of 3 pages. Check the text below and add what is missing.",)
    assert files.MARK in mixed.text


def test_ten_of_eleven_pages_are_used() -> None:
    result = read_resume("a.pdf", files.pdf(*[f"Chapter{n}\n{files.RESUME}" for n in range(11)]))
    assert result.warnings == ("We use the first 10 pages.",)
    assert "Chapter9" in result.text
    assert "Chapter10" not in result.text


def test_a_docx_is_read_in_document_order_with_every_corner() -> None:
    data = files.word(header="Top line", box="Boxed words", footer="Bottom line")
    result = read_resume("a.docx", data)
    expected = ["Top line", files.MARK, files.ACHIEVEMENT, "Tabletown 2012 - 2014", "Nested cell text"]
    expected += ["Contoso", "Box owner", "Boxed words", "Bottom line"]
    places = [result.text.find(piece) for piece in expected]
    assert -1 not in places
    assert places == sorted(places)
    assert result.text.count("Boxed words") == 1
    assert result.warnings == ()


def test_a_docx_cannot_fetch_a_file_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("serversecret")
    assert "serversecret" not in read_resume("a.docx", files.outside_entity(tmp_path / "secret.txt")).text


def test_a_huge_paragraph_is_cut() -> None:
    paragraph = f"<w:p><w:r><w:t>{sentences(600_000)}</w:t></w:r></w:p>".encode()
    result = read_resume("a.docx", files.word_with_body(paragraph))
    assert len(result.text) <= 20_000
    assert CUT in result.warnings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_text_files_keep_their_letters(encoding: str) -> None:
    assert "Café Société" in read_resume("a.txt", f"Café Société\n{files.RESUME}".encode(encoding)).text


def test_parsing_works_elsewhere_and_ignores_planted_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("pypdf", "json", "zipfile"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert files.MARK in read_resume("../../a.pdf", GOOD).text


def test_a_hanging_parser_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume_analyzer, "ANSWER_SECONDS", 0.01)
    with pytest.raises(ResumeError) as caught:
        read_resume("a.pdf", GOOD)
    assert str(caught.value) == SLOW


def test_a_server_that_cannot_start_the_parser_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(ResumeError, match="cannot be read on this server"):
        read_resume("a.pdf", GOOD)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for the parser is a shell script")
@pytest.mark.parametrize(
    ("end", "sentence"),
    [("kill -XCPU $$", SLOW), ("kill -KILL $$", SLOW), ("kill -SEGV $$", DAMAGED), ("echo {", DAMAGED)],
)
def test_a_parser_that_dies_has_its_sentence_and_saw_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, sentence: str
) -> None:
    stand_in = tmp_path / "python"
    stand_in.write_text(f'#!/bin/sh\ncat > /dev/null\n(env; echo "$@") > "{tmp_path}/seen"\n{end}\n')
    stand_in.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(stand_in))
    monkeypatch.setenv("GEMINI_API_KEY", "planted")
    with pytest.raises(ResumeError) as caught:
        read_resume(f"{files.MARK}.pdf", GOOD)
    assert str(caught.value) == sentence
    seen = (tmp_path / "seen").read_text()
    assert "resume_reader.py" in seen
    assert "planted" not in seen
    assert files.MARK not in seen


def test_at_most_two_files_are_parsed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    run, lock, running, peak = resume_analyzer._run_child, threading.Lock(), [0], [0]

    def counted(kind: str, data: bytes, seconds: float) -> object:
        with lock:
            running[0] += 1
            peak[0] = max(peak[0], running[0])
        try:
            return run(kind, data, seconds)
        finally:
            with lock:
                running[0] -= 1

    monkeypatch.setattr(resume_analyzer, "_run_child", counted)
    with ThreadPoolExecutor(5) as pool:
        texts = [result.text for result in pool.map(lambda _: read_resume("a.pdf", GOOD), range(5))]
    assert peak[0] == 2
    assert len(set(texts)) == 1


def test_a_full_queue_asks_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume_analyzer, "_slots", threading.BoundedSemaphore(1))
    monkeypatch.setattr(resume_analyzer, "QUEUE_SECONDS", 0.01)
    with resume_analyzer._slots, pytest.raises(ResumeError, match="Many files are being read"):
        read_resume("a.pdf", GOOD)
    assert read_resume("a.pdf", GOOD).text
