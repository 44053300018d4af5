"""Nothing that anybody wrote becomes markup in the Markdown report."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.interview.model import (
    Feedback,
    Interview,
    Met,
    Mistake,
    Narrative,
    Outline,
    Priority,
    Try,
)
from core.interview.report import escape
from core.interview.report_markdown import markdown
from tests.fakes.asking import NOON
from tests.interviews import feedback, interview, question, turn

HOSTILE = [
    "![pixel](https://evil.example/x.png)",
    "![pixel][1]\n\n[1]: https://evil.example/x.png",
    "[Click here](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "＜img src=https://evil.example＞",
    "<https://evil.example>",
    "https://evil.example/path",
    "HTTP://evil.example",
    "www.evil.example",
    "$\\href{https://evil.example}{x}$ and $$x^2$$",
    ":red[Overall: 100 of 100] :material/star: :smile:",
    "# Overall: Strong (100 of 100)",
    "> quoted\n# heading\n## 9. Question",
    "`code` and ```\nfence\n```",
    "**bold** _under_ ~~struck~~",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "\\[x](https://evil.example)\\",
    "a\u202eb\u200bc\u2066d",
    "[^1]: note\n[^1]",
    "&lt;img&gt; &#33;[x](y)",
]
ACTIVE = re.compile(r"!\[|\]\(|\]:|\[|\]|<|>|\$|`|(?i:https?:|www\.)|:\w|\*|_|^#|\||\{|~", re.MULTILINE)


def spoken(feedback: Feedback) -> Interview:
    return interview(replace(turn(), feedback=feedback))


PLACES: dict[str, Callable[[str], Interview]] = {
    "answer": lambda text: interview(turn(text)),
    "role": lambda text: interview(turn(), role=text),
    "question": lambda text: interview(replace(turn(), question=replace(question(), text=text))),
    "reaction": lambda text: spoken(replace(feedback(), reaction=text)),
    "follow-up": lambda text: spoken(replace(feedback(), follow_up=text)),
    "note": lambda text: spoken(replace(feedback(), note=text)),
    "quote": lambda text: spoken(feedback((Met("R1", text),))),
    "fix": lambda text: spoken(feedback((), (Mistake("vague", None, text),))),
    "mistake": lambda text: spoken(feedback((), (Mistake("vague", text, "Name two."),))),
    "left out": lambda text: spoken(replace(feedback(), left_out=(text,))),
    "key point": lambda text: interview(replace(turn(), question=replace(question(), key_points=(text,)))),
    "new answer": lambda text: interview(replace(turn(), tries=(Try(text, NOON, "done", feedback()),))),
    "narrative": lambda text: replace(
        interview(turn()), narrative=Narrative(text, (text,), (Priority("E4", text, text),), (), text)
    ),
    "written outline": lambda text: replace(
        interview(turn()), narrative=Narrative("", (), (), (Outline("b-test-1", text),), "m")
    ),
}


def without_escapes(text: str) -> str:
    """What a Markdown reader takes for markup: escaped punctuation is left out."""
    return re.sub(r"\\[!-/:-@\[-`{-~]", "", text)


def headings(text: str) -> list[str]:
    """Lines that are headings, or that make the line before them one."""
    return re.findall(r"(?m)^[ >]*(?:#{1,6} |=+ *$|-+ *$)", text)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_written_is_markup_any_more(hostile: str) -> None:
    assert not ACTIVE.search(without_escapes(escape(hostile)))


@given(st.text())
def test_no_text_at_all_is_markup(written: str) -> None:
    assert not ACTIVE.search(without_escapes(escape(written)))


@given(st.text(alphabet="abc .,!?()[]*#$<>|\\\n"))
def test_escaping_loses_no_letter(written: str) -> None:
    shown = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escape(written))
    assert shown.replace("\u200c", "") == written.strip()


def test_an_address_becomes_no_link() -> None:
    assert "help@evil.example" not in escape("Write to help@evil.example")


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("place", PLACES)
def test_wherever_it_stands_it_adds_no_structure(place: str, hostile: str) -> None:
    made = markdown(PLACES[place](hostile))
    assert headings(made) == headings(markdown(PLACES[place]("harmless")))
    assert not re.search(r"!\[|\]\(|<\w|\$|(?i:https?:)|(?i:www\.)", without_escapes(made))
    assert made.count("\n|") == markdown(PLACES[place]("harmless")).count("\n|")


@pytest.mark.parametrize("written", [":material/star:", ":streamlit:"])
def test_no_icon_or_logo_appears(written: str) -> None:
    shown = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escape(written))
    assert written not in shown


@pytest.mark.parametrize("line", ["===", "---"])
@pytest.mark.parametrize("place", ["answer", "reaction", "role"])
def test_a_line_below_makes_no_heading(place: str, line: str) -> None:
    hostile = f"Overall: Strong\n{line}\nand so on"
    assert headings(markdown(PLACES[place](hostile))) == headings(markdown(PLACES[place]("harmless")))


def test_an_answer_stays_a_quotation_line_by_line() -> None:
    made = markdown(interview(turn("One\r\n\r\nTwo\n\n# Three")))
    assert "> One\n> \n> Two\n> \n> \\# Three\n" in made
