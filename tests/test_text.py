"""What code alone sees in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.interview import text
from tests.answers import STORY


@given(st.text())
def test_cleaning_twice_changes_nothing_more(written: str) -> None:
    once = text.clean(written)
    assert text.clean(once) == once


@pytest.mark.parametrize(
    "hidden",
    [
        "\u200b",
        "\u200e",
        "\u202e",
        "\u2066",
        "\ufeff",
        "\u00ad",
        "\x00",
        "\x1b",
        pytest.param(
            "\U000e0041",
        ),
        pytest.param(
            "\u061c",
        ),
        pytest.param(
            "\u206a",
        ),
        pytest.param("\x9b"),
    ],
)
def test_what_nobody_can_see_is_removed(hidden: str) -> None:
    assert text.clean(f"wo{hidden}rd") == "word"


def test_form_is_stripped_and_words_are_kept() -> None:
    dressed = "## Plan\n- **First** I asked\n* then I _wrote_\n1. `it` down 🎉\n> and checked"
    assert text.plain(dressed) == "Plan First I asked then I wrote it down and checked"


@pytest.mark.parametrize(
    "written",
    [
        "It grew by 3 * 4 units - in 2019.",
        pytest.param(
            "The loop is O(n*m), and 2*3 is 6.",
        ),
        pytest.param(
            "I renamed user_id to account_id.",
        ),
        pytest.param(
            "Sales doubled in\n2019. Then they fell.",
        ),
    ],
)
def test_what_is_no_markup_is_kept(written: str) -> None:
    assert text.plain(written) == written.replace("\n", " ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I LED the Team", "i led the team"),
        ("“I led it”", '"I led it"'),
        ("it’s mine", "it's mine"),
        ("a well–known shop", "a well-known shop"),
        ("  I   led\n\tit  ", "I led it"),
        ("- I led it", "I led it."),
        ("**I** led it…", "I led it"),
        ("I\u00a0led\u202fit", "I led it"),
        pytest.param(
            "a well‑known shop",
            "a well-known shop",
        ),
        pytest.param(
            "from 5 to −5",
            "from 5 to -5",
        ),
    ],
)
def test_dress_does_not_matter_when_a_quote_is_looked_up(one: str, other: str) -> None:
    assert text.folded(one) == text.folded(other)


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("", 0),
        ("... !!", 0),
        ("I don't know", 3),
        ("a well-known shop", 3),
        ("Ich führte das Team", 4),
        ("Я руководил командой", 3),
        ("قدت الفريق كله", 3),
        ("我领导了团队", 3),
        pytest.param(
            "मैंने टीम का नेतृत्व किया",
            5,
        ),
        pytest.param(
            "저는 프로젝트를 이끌었습니다",
            3,
        ),
    ],
)
def test_words_of_any_script_are_counted(written: str, count: int) -> None:
    assert len(text.words(written)) == count


@pytest.mark.parametrize(
    "written",
    [
        "by 12",
        "5%",
        "five people",
        "£3",
        "HALF of it",
        "it doubled",
        "from weekly to daily",
        "٣ أشخاص",
        "hundreds of orders",
        "thirteen of them",
        "sixty-four",
        "zero faults",
        "a third of it",
        "two thirds",
        "by half",
        "before it took ages, after it was instant",
        "in one week",
        "from 3.5 to 2.1",
        "in 2019",
        "£1,200",
        "5k",
        "one in ten",
    ],
)
def test_numbers_and_comparisons_are_seen(written: str) -> None:
    assert text.has_number(written)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "a few people",
        "someone often wrote",
        "the tension",
        "a quarterly plan",
        "one of the colleagues",
        "the second time",
        "a third party",
        "from Leeds to York",
        "half the team",
        "half of my class",
        "on the 3rd floor",
        "in Q3",
        "a B2B shop",
        "before and after lunch",
        "no one",
        "from me to you",
    ],
)
def test_other_words_are_no_numbers(written: str) -> None:
    assert not text.has_number(written)


@pytest.mark.parametrize("written", ["I led", "that was mine", "I’ve done it", "they asked ME", "i'm sure"])
def test_the_first_person_is_seen(written: str) -> None:
    assert text.has_first_person(written)


@pytest.mark.parametrize("written", ["", "we led", "it was the meeting", "Amy ran it", "an iPhone", "Minecraft"])
def test_others_are_not_the_first_person(written: str) -> None:
    assert not text.has_first_person(written)


def test_a_whole_story_shows_every_cue_and_an_opinion_none() -> None:
    assert all(text.star_cues(STORY + " I was asked to, and I wrote it. My task was clear.").values())
    assert not any(text.star_cues("Good service matters to customers.").values())


@pytest.mark.parametrize(
    ("said", "english"),
    [
        ("When our shop changed its till software I was asked to train the new staff.", True),
        ("Cuando cambiamos el programa de la caja me pidieron formar al personal nuevo de la tienda.", False),
        ("Als unser Laden die Kasse wechselte, habe ich die neuen Leute in zwei Wochen geschult.", False),
        ("我在上一份工作中负责培训新员工，我写了一份指南，错误从每天十二个减少到三个。", False),
        ("في عملي السابق دربت الموظفين الجدد وكتبت دليلا قصيرا ثم انخفضت الأخطاء كثيرا", False),
        ("too short to tell", True),
        ("Led team in La Paz, hired developers, shipped product, cut costs", True),
        ("Led project, hired developers, shipped product, cut costs, customers happy, hired staff", True),
        ("Led projektu w firmie, bo nie było nikogo, się udało i jest dobrze", False),
    ],
)
def test_english_is_told_from_other_languages(said: str, english: bool) -> None:
    assert text.is_english(said) is english


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("It fell from 3.5 to 2.1 hours.", "It fell from 3.5 to 2.1 hours."),
        ("The address was 1.1.1.1. See https://example.org/a.b.c for it.", None),
        ("I asked. I asked. I wrote!", "I asked. I wrote!"),
        ("- led it\n- wrote it\n- led it", "led it wrote it"),
        ("我做了。我做了。我写了。", "我做了。 我写了。"),
        ("I led it.\n\nI LED IT.", "I led it."),
    ],
)
def test_each_sentence_and_line_stands_once_and_unbroken(written: str, kept: str | None) -> None:
    assert text.unrepeated(written) == (kept or written)


@given(st.text())
def test_dropping_repetitions_twice_changes_nothing_more(written: str) -> None:
    once = text.unrepeated(written)
    assert text.unrepeated(f"{written}\n{written}") == once


@given(st.text(alphabet="ab 我们的团队.\n"), st.integers(0, 12))
def test_the_first_words_are_so_many_and_a_beginning(written: str, most: int) -> None:
    cut = text.first_words(written, most)
    assert written.startswith(cut)
    assert len(text.words(cut)) <= most
    assert len(text.words(cut)) >= min(most, len(text.words(written))) - 1
