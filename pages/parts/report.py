"""The report: what was found first, one thing to practise, then every question with its evidence."""

from __future__ import annotations

import streamlit as st

from core.interview import mistake_detector, report, rubric
from core.interview.engine import Engine
from core.interview.model import Interview
from core.interview.report import Page, Report, escape, label
from pages.parts.conversation import forget, show_reaction
from pages.parts.scroll import scroll_to_top

LAMP = {True: "green", False: "gray"}


def show_report(engine: Engine, token: str, interview: Interview) -> None:
    found = report.build(interview)
    st.title("Your report")
    st.caption(f"{escape(interview.setup.role)} · {interview.setup.level} · {report.DISCLAIMER}")
    _headline(interview, found)
    _actions(engine, token, interview)
    if found.card.competencies:
        _competencies(interview, found)
    if found.wording:
        _wording(found)
    if found.job_terms:
        _job_terms(found)
    if found.card.unscored and engine.can_score():
        _score_rest(engine, token, found.card.unscored)
    st.header("Question by question")
    for page in found.pages:
        _page(page)
    scroll_to_top(f"report-{token}")


def _headline(interview: Interview, found: Report) -> None:
    with st.container(border=True):
        st.subheader(report.overall_line(found.card).capitalize())
        st.caption(report.origin_line(interview, found))
        if found.strongest:
            st.markdown(f":material/star: **Strongest moment:** “{escape(found.strongest.quote)}”")
        if found.priority:
            st.markdown(f":material/target: **Practise next:** {found.priority}")


def _actions(engine: Engine, token: str, interview: Interview) -> None:
    row = st.container(horizontal=True)
    row.download_button(
        "Download as Markdown",
        report.markdown(interview),
        file_name="greenroom-report.md",
        mime="text/markdown",
        icon=":material/download:",
        on_click="ignore",
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
    target = report.TARGETS[interview.setup.level]
    st.header("By competency")
    st.caption(
        f"Out of 10. For this level we suggest {target:.0f} as a target; it is a choice, not a measurement."
    )
    with st.grid(min_column_width=150):
        for name, score in found.card.competencies.items():
            st.metric(label(name), score, rubric.band(score), delta_color="off", delta_arrow="off", border=True)


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


def _page(page: Page) -> None:
    turn = page.turn
    mark = f"{page.said} · {page.score:g} of 10" if page.score is not None else page.said
    with st.expander(f"**{page.number}. {escape(turn.question.text)}**  \n{mark}"):
        if turn.answer:
            st.text(turn.answer)
        if turn.feedback:
            show_reaction(turn.feedback)
        if turn.feedback and turn.feedback.scored:
            _evidence(page)
        st.markdown(f"**Shape of a strong answer.** {escape(turn.question.outline)}")
        points = "\n".join(f"- {escape(point)}" for point in turn.question.key_points)
        st.markdown(f"**A strong answer covers**\n\n{points}")


def _evidence(page: Page) -> None:
    feedback = page.turn.feedback
    assert feedback is not None
    meanings = rubric.anchors(page.turn.question.kind)
    for letter, dimension in rubric.DIMENSIONS.items():
        mine = [a for a in meanings if a.startswith(letter)]
        lamps = " ".join(f":{LAMP[a in page.lit]}-badge[{meanings[a]}]" for a in mine)
        st.markdown(f"**{dimension}** {sum(a in page.lit for a in mine)} of {len(mine)}  \n{lamps}")
    by_quote: dict[str, list[str]] = {}
    for met in feedback.met:
        by_quote.setdefault(met.quote, []).append(meanings[met.anchor])
    for quote, shown in by_quote.items():
        st.markdown(f":material/format_quote: “{escape(quote)}” {', '.join(shown)}")
    for mistake in feedback.mistakes:
        st.markdown(f":material/build: **{mistake_detector.NAMES[mistake.code]}.** {escape(mistake.fix)}")
    st.caption(
        f"Graded by {feedback.origin.model or 'our own check'}, rubric {feedback.origin.rubric or rubric.VERSION}."
    )


def _score_rest(engine: Engine, token: str, missing: int) -> None:
    answers = "one answer" if missing == 1 else f"{missing} answers"
    if st.button(f"Score {answers} now", key="score-rest", icon=":material/refresh:"):
        with st.spinner("Reading your answers…", show_time=True):
            engine.score_rest(token)
        st.rerun()
