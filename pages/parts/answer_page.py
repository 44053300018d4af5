"""One question of the report: the answer, what was found in it with its quotes, and what can be asked for."""

from __future__ import annotations

import streamlit as st

from core.interview import report, rubric
from core.interview.after import After
from core.interview.drills import drill
from core.interview.model import Feedback, Interview
from core.interview.report import Page, escape
from pages.parts.conversation import show_reaction
from pages.parts.self_rating import is_hidden, offer_rating, show_comparison
from pages.parts.try_again import show_try_again

LAMP = {True: "green", False: "gray"}
TO_LOOK = "Scored. Rate it yourself first, or just look."


def show_answer(after: After, token: str, interview: Interview, page: Page, may_ask: bool) -> None:
    """`may_ask` says whether somebody could take a call right now."""
    turn = page.turn
    hidden = is_hidden(token, page)
    mark = TO_LOOK if hidden and page.score is not None else page.said
    with st.expander(f"**{page.number}. {escape(turn.question.text)}**  \n{mark}", key=f"page-{page.number}"):
        if turn.answer:
            st.text(turn.answer)
        if hidden:
            offer_rating(after, token, page)
            return
        if turn.feedback:
            _found(page, turn.feedback)
        show_comparison(page)
        _second_opinion(after, token, page, may_ask)
        _wording(page)
        _strong_answer(interview, page)
        if turn.answer and turn.feedback:
            with st.expander("Try this answer again", icon=":material/replay:", type="compact"):
                show_try_again(after, token, page, "page", may_ask)


def _found(page: Page, feedback: Feedback) -> None:
    if page.score is not None:
        st.markdown(f"**{page.said}** · {page.score:g} of 10, {len(page.lit)} of 20 anchors lit")
    show_reaction(feedback)
    for words in feedback.left_out:
        st.caption(f":material/block: Left out of the assessment: “{escape(words)}”")
    if feedback.scored and feedback.origin.by != "gate":
        _evidence(page, feedback)


def _evidence(page: Page, feedback: Feedback) -> None:
    turn = page.turn
    meanings = rubric.anchors(turn.question.kind)
    for letter, dimension in rubric.DIMENSIONS.items():
        mine = [a for a in meanings if a.startswith(letter)]
        lamps = " ".join(f":{LAMP[a in page.lit]}-badge[{meanings[a]}]" for a in mine)
        st.markdown(f"**{dimension}** {sum(a in page.lit for a in mine)} of {len(mine)}  \n{lamps}")
    for quote, shown in report.by_quote(turn, feedback).items():
        st.markdown(f":material/format_quote: “{escape(quote)}” {', '.join(shown)}")
    for mistake in feedback.mistakes:
        said = f" You said: “{escape(mistake.quote)}”" if mistake.quote else ""
        st.markdown(f":material/build: **{report.mistake_name(mistake)}.** {escape(mistake.fix)}{said}")
    if missing := rubric.missing(page.lit):
        step = drill(missing[0], turn.question.kind)
        st.markdown(f":material/target: **Next step.** {step.advice} {step.exercise}")
    st.caption(
        f"Graded by {feedback.origin.model or 'our own check'}, rubric {feedback.origin.rubric or rubric.VERSION}."
    )


def _second_opinion(after: After, token: str, page: Page, may_ask: bool) -> None:
    turn = page.turn
    if turn.second is not None:
        _compared(page, turn.second)
    elif report.is_unsure(turn) and may_ask:
        st.caption("Answers in the middle are where graders differ most.")
        if st.button("Ask a second grader: 1 call", key=f"second-{page.number}", icon=":material/balance:"):
            with st.spinner("Asking another grader…", show_time=True):
                after.second_opinion(token, page.number - 1)
            st.rerun()


def _compared(page: Page, second: Feedback) -> None:
    if not second.scored:
        st.caption(f":material/balance: No second opinion could be had. {escape(second.note)}")
        return
    meanings = rubric.anchors(page.turn.question.kind)
    other = report.lit_by_second(page.turn)
    st.markdown(
        f":material/balance: **Second opinion** by {escape(second.origin.model)}. Your score stays as it is."
    )
    for label, codes, lit in (
        ("Both saw", page.lit & other, True),
        ("Only the first saw", page.lit - other, False),
        ("Only the second saw", other - page.lit, False),
    ):
        if codes:
            badges = " ".join(f":{LAMP[lit]}-badge[{meanings[a]}]" for a in meanings if a in codes)
            st.markdown(f"{label} {len(codes)}: {badges}")


def _wording(page: Page) -> None:
    if page.cues is None and not page.points:
        return
    lines = [f"**{report.CUES_ONLY}**"]
    if page.cues:
        lines.append(" · ".join(f"{name}: {found}" for name, found in report.cue_parts(page.cues).items()))
    if page.points:
        lines.append(" ".join(f":{LAMP[p.touched]}-badge[{escape(p.text)}]" for p in page.points))
    st.markdown("  \n".join(lines))


def _strong_answer(interview: Interview, page: Page) -> None:
    question = page.turn.question
    written = report.outline_for(interview, page.turn)
    if written:
        st.markdown(f"**How this answer could be built.** {escape(written.text)}")
    st.markdown(f"**Shape of a strong answer.** {escape(question.outline)}")
    if not page.points:
        points = "\n".join(f"- {escape(point)}" for point in question.key_points)
        st.markdown(f"**A strong answer covers**\n\n{points}")
