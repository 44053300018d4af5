"""What never reaches a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.interview import gate
from core.interview.model import Turn
from tests.answers import STORY
from tests.interviews import question, turn


def refusal(answer: str, *earlier: Turn) -> str:
    with pytest.raises(gate.NotSent) as caught:
        gate.check(answer, earlier, len(earlier))
    return str(caught.value)


@pytest.mark.parametrize("blank", ["", " ", "\n\t \r\n", "\u00a0\u2003"])
def test_no_answer_goes_back(blank: str) -> None:
    assert "no answer yet" in refusal(blank)


def test_the_longest_answer_passes_and_one_character_more_does_not() -> None:
    longest = " ".join(f"Story {n} was about a parcel." for n in range(300))
    gate.check(longest[: gate.LONGEST], (), 0)
    assert "6,001 characters" in refusal(longest[: gate.LONGEST + 1])
    assert "20,000 characters" in refusal("a" * 20_000)


@pytest.mark.parametrize("short", ["Yes.", "I led it well", "👍 👍 👍 👍 👍 👍", "- - - - - -", "...!?"])
def test_what_is_too_short_goes_back(short: str) -> None:
    assert "too short" in refusal(short)


def test_five_words_are_enough() -> None:
    gate.check("I calmed an angry customer", (), 0)


@pytest.mark.parametrize(("words", "asked_back"), [(5, True), (24, True), (25, False)])
def test_a_brief_answer_is_asked_back_once(words: int, asked_back: bool) -> None:
    brief = " ".join(f"story{n}" for n in range(words))
    gate.check(brief, (), 0, sure=True)
    if asked_back:
        with pytest.raises(gate.Doubt, match="one concrete example"):
            gate.check(brief, (), 0, sure=False)
    else:
        gate.check(brief, (), 0, sure=False)


def test_saying_that_there_is_no_answer_is_never_doubted() -> None:
    gate.check("I don't know", (), 0, sure=False)


@pytest.mark.parametrize("times", [2, 30])
def test_a_real_answer_said_again_and_again_is_no_gibberish(times: int) -> None:
    assert not gate.is_gibberish(f"{STORY} " * times)
    assert not gate.is_gibberish(
        "我在上一份工作中负责培训新员工，我写了一份指南，错误从每天十二个减少到三个。" * times
    )


@pytest.mark.parametrize(
    "said",
    [
        "I don't know",
        "I don’t know.",
        "i dont know",
        "I do not know!",
        "Sorry, I really don't know",
        "Um, I don't remember, sorry",
        "I don't have an example",
        "I have no idea at all",
        "No idea",
        "no clue",
        "skip",
        "Skip this",
        "Pass.",
        "next question",
        "Nothing comes to mind, really",
        "not sure",
        "**I don't know**",
        "Honestly, I don't know how to answer this",
        pytest.param("I'm not sure"),
        pytest.param("idk"),
        "I am afraid I can't think of anything",
        "n/a n/a n/a n/a n/a",
        pytest.param(
            "I can't think of an example right now",
        ),
        pytest.param(
            "I cannot remember a situation like that",
        ),
        pytest.param(
            "Sorry, I don't know the answer to this question.",
        ),
    ],
)
def test_saying_that_there_is_no_answer_is_one(said: str) -> None:
    assert gate.is_no_answer(said)
    gate.check(said, (), 0)


@pytest.mark.parametrize(
    "said",
    [
        "I don't know who had left it there, so I asked every shift until I found out.",
        "When I do not know something I say so, and then I look it up in the manual.",
        "We had no idea why it failed, so I read the logs line by line.",
        "Pass rates rose after I rewrote the course.",
        "I decided to skip this release and test again.",
        "Next question the customer had was about the price, and I told her.",
        "Not sure of the cause, I stopped the line and called the engineer.",
        "",
    ],
)
def test_sentences_that_merely_contain_it_are_answers(said: str) -> None:
    assert not gate.is_no_answer(said)


def test_saying_so_on_two_questions_is_no_repeated_answer() -> None:
    gate.check("I don't know", [turn("I don't know")], 1)


@pytest.mark.parametrize(
    "mash",
    [
        "blah " * 30,
        "test test test test test",
        "sdfg hjkl xcvb qwrt zxcv plkj",
        "yes no " * 40,
        "哈哈" * 20,
        "asdfg hjkluio qwerty asdf poiuy lkjh",
    ],
)
def test_gibberish_goes_back_and_says_that_nothing_was_spent(mash: str) -> None:
    assert "nothing was spent" in refusal(mash)


@pytest.mark.parametrize(
    "real",
    [
        STORY,
        "我在上一份工作中负责培训新员工,我写了一份指南,错误减少了一半。",
        "前の職場で新人研修を担当し、手順書を作って間違いを半分に減らしました。",
        "ผมเคยดูแลการฝึกอบรมพนักงานใหม่และเขียนคู่มือเพื่อลดข้อผิดพลาด",
        "في عملي السابق دربت الموظفين الجدد وكتبت دليلا قصيرا فقلت الأخطاء",
        "मैंने नए कर्मचारियों को सिखाया और एक छोटी पुस्तिका लिखी",
        "저는 새 직원들을 교육했고 짧은 안내서를 썼습니다",
        "See https://github.com/example/repo/pull/42 and https://example.org/docs/html for what I built.",
        "I replaced `getHttpXmlCtx()` by `ctx.fetch_rows(tbl_nm)` in srv/http/mw.ts and kept strncpy out.",
        "The HTTPS LB sent TCP RST to the NGINX pod because the TLS cert on the K8s LB had expired",
        "Vlk zmrzl, zhltl hrst zrn, which is what I learned in Brno",
        "Trzymałem się planu i wszystko poszło dobrze",
        pytest.param(
            "HTML, CSS, HTTP, SMTP, SFTP, XSLT, DHCP, SSH, TLS",
        ),
    ],
)
def test_real_answers_in_any_script_are_not_gibberish(real: str) -> None:
    assert not gate.is_gibberish(real)
    gate.check(real, (), 0)


def test_the_same_answer_again_names_the_question_that_had_it() -> None:
    earlier = [turn("A first story about a lost parcel"), turn(STORY), Turn(question())]
    assert "question 2" in refusal(f"  {STORY.upper()} ", *earlier)
    gate.check(STORY + " I learned to ask first.", earlier, len(earlier))


@pytest.mark.parametrize(
    "hostile", ["sorry " * 900 + "x", "skip" + "!" * 5_900 + "x", "um " * 1_900, "from " * 1_100]
)
def test_hostile_answers_are_judged_without_hanging(hostile: str) -> None:
    assert not gate.is_no_answer(hostile)


def test_only_the_first_six_hundred_words_are_assessed() -> None:
    long = " ".join(f"w{n}" for n in range(700))
    assert gate.assessed(long).split() == long.split()[:600]
    assert gate.assessed("- **one**\n- two") == "one two"


def test_six_hundred_words_are_so_many_in_any_script() -> None:
    long = "".join(chr(0x4E00 + n) for n in range(5_900))
    assert gate.assessed(long) == long[:1_200]
    assert gate.is_cut(long)
    assert not gate.is_cut(long[:1_200])


def test_a_turn_that_was_left_open_is_no_earlier_answer() -> None:
    gate.check(STORY, [replace(turn(), state="skipped", answer="")], 1)
