"""The PDF says what the other downloads say, in letters that can be read, and asks nobody for anything."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pypdf
import pytest

from core.interview import coach, report
from core.interview.report_bidi import begins_right_to_left, joined, visual
from core.interview.report_json import as_json
from core.interview.report_markdown import markdown
from core.interview.report_pdf import BOXES, as_pdf
from tests.answers import STORY
from tests.interviews import interview, question, turn
from tests.reports import rich


def read(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return "\n".join(page.extract_text() for page in pages)


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def trap() -> Iterator[tuple[str, list[str]]]:
    """A server that nobody should ask, and what it was asked."""
    asked: list[str] = []

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Asked) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_it_holds_the_numbers_of_the_page_and_of_the_other_downloads() -> None:
    whole = rich()
    printed, told, found = flat(read(as_pdf(whole))), json.loads(as_json(whole)), report.build(whole)
    assert report.overall_line(found.card) in printed
    assert report.overall_line(found.card) in markdown(whole)
    assert f"({told['overall']['score_of_100']['value']} of 100" in printed
    for page in found.pages:
        if page.score is not None and page.turn.answer:
            assert f"{page.said} ({page.score} of 10)" in printed
            assert f"{page.said} ({page.score} of 10)" in markdown(whole)
    for name, score in found.card.competencies.items():
        assert re.search(rf"{report.label(name)} \w[\w ]* {score:.1f}", printed)


def test_every_part_of_the_report_is_printed() -> None:
    printed = flat(read(as_pdf(rich())))
    for words in (
        "Strongest moment. “errors fell from 12 to 3 a day”",
        "One thing to practise",
        "A drill for it",
        "You tell real stories.",
        "The AI became busy.",
        "You marked",
        "A second opinion by alpha/alpha-model, not part of the score",
        "Tried again. Newly shown. gives the reason or an alternative",
        "Vague: Name two of them.",
        report.CUES_ONLY,
        "Begin with the till, end with [your number].",
        "Skipped, counts 0",
        "Not reached",
        report.DISCLAIMER,
    ):
        assert words in printed, words
    assert printed.index("Strongest moment") < printed.index("One thing to practise") < printed.index("Overall")


def test_nothing_scored_nothing_numbered() -> None:
    offline = replace(turn(), feedback=coach.react(question(), STORY))
    printed = flat(read(as_pdf(replace(interview(offline), mode="offline"))))
    assert "Overall: not scored" in printed
    assert not re.search(r"\d of 10\b|of 100|Developing|Not yet", printed)


def test_pages_are_numbered_and_the_radar_is_drawn_in_vectors() -> None:
    reader = pypdf.PdfReader(io.BytesIO(as_pdf(rich())))
    for number, page in enumerate(reader.pages, start=1):
        assert f"Page {number} of {len(reader.pages)}" in page.extract_text()
        assert not list(page.images)
    drawing = reader.pages[0].get_contents()
    assert drawing is not None
    assert drawing.get_data().count(b" l ") > 20  # lines of rings, target and scores
    assert reader.metadata is not None
    assert reader.metadata.title == "Practice interview: Retail assistant"


@pytest.mark.parametrize(
    "hostile",
    [
        "<img src='{url}/x.png' width='10' height='10'/>",
        "<a href='{url}/y'>here</a>",
        "</para><para><img src='{url}/x.png'/>",
        '<font name="{url}">x</font> &lt;img src=x&gt; &amp; <br/> <onDraw name="x"/>',
        "<unclosed <b <i>",
        "\x00\x0b\ud800\u202ea",
        "x" * 5_000,
        "\n" * 3_000 + "end",
    ],
)
def test_hostile_text_is_printed_as_text_and_asks_nobody(hostile: str, trap: tuple[str, list[str]]) -> None:
    url, asked = trap
    written = hostile.format(url=url)
    whole = replace(rich(f"{STORY} {written}"), setup=replace(rich().setup, role=written, job=written))
    pdf = as_pdf(whole)
    assert asked == []
    assert not [page["/Annots"] for page in pypdf.PdfReader(io.BytesIO(pdf)).pages if "/Annots" in page]
    assert b"/URI" not in pdf
    shown = re.sub(r"\s", "", read(pdf))
    for word in re.findall(r"<[a-z/]\w*", hostile):
        assert word in shown


@pytest.mark.parametrize(
    "written",
    [
        "Zażółć gęślą jaźń",
        "Привет, мир",
        "Γειά σου Κόσμε",
        "お客様の対応を改善して",
        "我们公司的客户",
        "한국어 답변",
    ],
)
def test_letters_of_many_scripts_come_out_as_they_went_in(written: str) -> None:
    printed = read(as_pdf(interview(turn(f"{written}. " * 30))))
    assert "".join(written.split()) in re.sub(r"\s", "", printed)
    assert BOXES not in flat(printed)


def test_what_no_font_has_is_a_box_and_the_report_says_so() -> None:
    printed = flat(read(as_pdf(interview(turn(f"{STORY} ภาษาไทย 😀")))))
    assert "□" in printed
    assert BOXES in printed


def test_right_to_left_answers_are_printed_in_visual_order() -> None:
    printed = read(as_pdf(interview(turn("שלום עולם (abc) 12% ועוד " * 20))))
    assert "שלום עולם" in printed  # the reader turns what it sees from right to left, so ours stood that way
    assert joined("كنت مسؤولا") in read(as_pdf(interview(turn("كنت مسؤولا"))))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("שלום (abc) 12", "12 (abc) םולש"),
        ("hello שלום עולם end", "hello םלוע םולש end"),
        ("ירד מ-3.5 ל-12%", "12%-ל 3.5-מ דרי"),
        ("only left", "only left"),
        ("", ""),
    ],
)
def test_lines_stand_in_the_order_in_which_they_are_seen(line: str, shown: str) -> None:
    assert visual(line, begins_right_to_left(line)) == shown


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("سلام", "\ufeb3\ufefc\ufee1"),  # lam and alef become one
        ("باب", "\ufe91\ufe8e\ufe8f"),
        ("بَب", "\ufe91\u064e\ufe90"),  # marks do not part letters
        ("ب ب", "\ufe8f \ufe8f"),
        ("abc", "abc"),
    ],
)
def test_arabic_letters_take_the_form_that_their_neighbours_ask_for(word: str, forms: str) -> None:
    assert joined(word) == forms


def test_many_may_print_at_once() -> None:
    wholes = [rich(f"{STORY} This is number {n}.") for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        for n, pdf in enumerate(pool.map(as_pdf, wholes)):
            assert f"This is number {n}." in flat(read(pdf))


def test_who_prints_nothing_does_not_load_the_printer() -> None:
    code = "import sys, core.app, pages.parts.report; sys.exit('reportlab' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
