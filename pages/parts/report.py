"""The report: what was found first, one thing to practise, then every question with its evidence."""

from __future__ import annotations

import streamlit as st

from core.app import current
from core.interview import report, report_json, report_markdown, report_pdf, rubric
from core.interview.after import After
from core.interview.engine import Engine
from core.interview.model import Interview, Narrative
from core.interview.report import Report, escape, label
from pages.parts.answer_page import LAMP, show_answer
from pages.parts.conversation import forget
from pages.parts.radar import show_radar
from pages.parts.scroll import scroll_to_top
from pages.parts.self_rating import is_hidden, show_all
from pages.parts.try_again import show_try_again


def show_report(engine: Engine, token: str, interview: Interview) -> None:
    found = report.build(interview)
    after, may_ask = current().after, engine.can_score()
    st.title("Your report")
    st.caption(f"{escape(interview.setup.role)} · {interview.setup.level} · {report.DISCLAIMER}")
    _lead(after, token, found, may_ask)
    _result(engine, token, interview, found)
    _actions(engine, token, interview)
    if found.card.competencies:
        _competencies(interview, found)
    if found.card.scored:
        _narrative(after, token, interview, may_ask)
    if found.wording:
        _wording(found)
    if found.job_terms:
        _job_terms(found)
    _questions(after, token, interview, found, may_ask)
    scroll_to_top(f"report-{token}")


def _lead(after: After, token: str, found: Report, may_ask: bool) -> None:
    """The strongest thing found, then one thing to practise with its drill and another go."""
    if not (found.strongest or found.priority):
        return
    with st.container(border=True):
        if found.strongest:
            st.markdown(f":material/star: **Strongest moment**  \n“{escape(found.strongest.quote)}”")
        if found.priority:
            step = found.priority
            by_cues = "" if step.measured else " (by your wording, not a mark)"
            st.markdown(f":material/target: **Practise next**{by_cues}  \n{step.drill.advice}")
            st.markdown(f":material/exercise: **A drill for it**  \n{step.drill.exercise}")
            page = found.pages[step.number - 1]
            with st.expander(f"Then try question {step.number} again", icon=":material/replay:", type="compact"):
                st.markdown(f"**{escape(page.turn.question.text)}**")
                show_try_again(after, token, page, "lead", may_ask)


def _result(engine: Engine, token: str, interview: Interview, found: Report) -> None:
    st.subheader(report.overall_line(found.card).capitalize())
    st.caption(report.origin_line(interview, found))
    for change in interview.downgrades:
        st.caption(f":material/trending_down: {escape(change.reason)}")
    if found.card.unscored and engine.can_score():
        _score_rest(engine, token, found.card.unscored)


def _actions(engine: Engine, token: str, interview: Interview) -> None:
    row = st.container(horizontal=True)
    for kind, made, ending, mime in (
        ("PDF", report_pdf.as_pdf, "pdf", "application/pdf"),
        ("Markdown", report_markdown.markdown, "md", "text/markdown"),
        ("JSON", report_json.as_json, "json", "application/json"),
    ):
        row.download_button(
            f"Download as {kind}",
            lambda made=made: made(interview),  # type: ignore[misc]  # printed when asked for, not on every run
            file_name=f"greenroom-report.{ending}",
            mime=mime,
            icon=":material/download:",
            on_click="ignore",
            key=f"download-{ending}",
        )
    if row.button("New interview", icon=":material/replay:", key="again"):
        st.query_params.clear()
        st.session_state.role = interview.setup.role
        st.rerun()
    with row.popover("Delete", type="tertiary", icon=":material/delete:"):
        st.write("Delete this interview and everything you wrote in it? This cannot be undone.")
        if st.button("Delete it", key="delete", type="primary"):
            forget(engine, token)


def _competencies(interview: Interview, found: Report) -> None:
    level = interview.setup.level
    target = report.TARGETS[level]
    st.header("By competency")
    show_radar(found.card.competencies, target, level)
    st.caption(f"The target for {level} level, {target:g} of 10, is a choice of ours, not a measurement.")
    numbers = st.toggle("Show numbers", key="numbers")
    with st.grid(min_column_width=150):
        for name, score in found.card.competencies.items():
            with st.container(border=True, gap="xxsmall", height="stretch"):
                st.caption(label(name))
                st.markdown(f"**{rubric.band(score)}**" + (f" · {score:g} of 10" if numbers else ""))


def _narrative(after: After, token: str, interview: Interview, may_ask: bool) -> None:
    told = interview.narrative
    if told is None and not may_ask:
        return
    st.header("In words")
    if told:
        _told(told)
    else:
        st.caption("Optional: an AI sums up what was found. Everything above and below is complete without it.")
    if may_ask:
        name = "Write it again: 1 call" if told else "Write a summary: 1 call"
        if st.button(name, key="narrate", icon=":material/edit_note:"):
            with st.spinner("Writing…", show_time=True):
                written = after.narrate(token).narrative
            if written == told:
                st.warning("No summary could be written right now. Your report is complete without it.")
            else:
                st.rerun()


def _told(told: Narrative) -> None:
    if told.summary:
        st.markdown(escape(told.summary))
    for strength in told.strengths:
        st.markdown(f":material/check: {escape(strength)}")
    for priority in told.priorities:
        st.markdown(f":material/target: {escape(priority.why)} {escape(priority.drill)}")
    st.caption(f"Written by {escape(told.model)}. Numbers are yours, or stand as \\[your number\\].")


def _wording(found: Report) -> None:
    st.header("In your wording")
    st.caption("Counted in your answers by simple cues. No part of any score.")
    with st.grid(min_column_width=150):
        for name, count in found.wording.items():
            st.metric(name, count, border=True)


def _job_terms(found: Report) -> None:
    badges = " ".join(f":{LAMP[said]}-badge[{escape(term)}]" for term, said in found.job_terms.items())
    st.markdown(
        f"**Words of the job description** you used (green) or did not. Not part of any score.\n\n{badges}"
    )


def _questions(after: After, token: str, interview: Interview, found: Report, may_ask: bool) -> None:
    st.header("Question by question")
    if any(is_hidden(token, page) for page in found.pages):
        st.caption("Open a question to rate your answer before you see what was found in it.")
        if st.button("Show all results", key="show-all", icon=":material/visibility:"):
            show_all(token, found.pages)
            st.rerun()
    for page in found.pages:
        show_answer(after, token, interview, page, may_ask)


def _score_rest(engine: Engine, token: str, missing: int) -> None:
    answers = "one answer" if missing == 1 else f"{missing} answers"
    if st.button(f"Score {answers} now", key="score-rest", icon=":material/refresh:"):
        with st.spinner("Reading your answers…", show_time=True):
            engine.score_rest(token)
        st.rerun()
