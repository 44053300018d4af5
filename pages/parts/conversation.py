"""The conversation: one question at a time, what was said last above it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.interview import gate
from core.interview.engine import Engine
from core.interview.model import Feedback, Interview, Turn
from core.interview.report import escape, label
from pages.parts.draft_keeper import keep_draft
from pages.parts.past_keeper import drop

MOVED_ON = (
    "That question was answered, skipped, ended or deleted in another tab, so your text was not sent. "
    "Here it is, to copy:"
)
INTERVIEWER = ":material/record_voice_over:"
CANDIDATE = ":material/person:"
AIM = {
    "behavioural": "120 to 300",
    "situational": "100 to 300",
    "technical": "100 to 300",
    "motivation": "60 to 200",
}
SILENT = (
    "No AI could answer just now. Practice goes on with the offline coach, and the report offers to ask again for "
    "the scores that are missing."
)
NEXT_LOOK = 2  # seconds between looks at an answer that another tab is having graded


@dataclass(frozen=True)
class Sent:
    """An answer on its way: which question it was typed for, and the text."""

    number: int
    text: str


def show_conversation(engine: Engine, token: str, interview: Interview) -> None:
    number = interview.current
    assert number is not None
    _progress(engine, token, interview, number)
    _mode(interview)
    done = [(n, t) for n, t in enumerate(interview.turns[:number]) if t.state in ("done", "waiting", "skipped")]
    if len(done) > 1:
        with st.expander(f"Earlier questions ({len(done) - 1})", type="compact"):
            for n, turn in done[:-1]:
                _past(n, turn)
    for n, turn in done[-1:]:
        _past(n, turn)
        if _has_just_fallen_silent(interview, turn):
            st.info(SILENT, icon=":material/cloud_off:")
    turn = interview.turns[number]
    with st.chat_message("assistant", avatar=INTERVIEWER):
        st.markdown(f"#### {escape(turn.question.text)}")
    if turn.state == "grading":
        _waiting(engine, token, number, turn)
    else:
        _answer_box(engine, token, number, turn)


def _mode(interview: Interview) -> None:
    if interview.mode == "offline":
        st.caption(f":material/cloud_off: Offline practice, no score. {interview.mode_reason}")
    if interview.mode == "lean":
        st.caption(f":material/stacks: Short of AI calls. {interview.mode_reason}")


def _has_just_fallen_silent(interview: Interview, latest: Turn) -> bool:
    """So that it is said once, after the answer that it happened to."""
    at = interview.downgrades[-1].at if interview.downgrades else None
    return at is not None and latest.answered_at is not None and latest.answered_at <= at


def _progress(engine: Engine, token: str, interview: Interview, number: int) -> None:
    total = len(interview.turns)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.progress(number / total, text=f"Question {number + 1} of {total}")
    with row.popover("End", type="tertiary", icon=":material/flag:", help="Finish early and read the report"):
        st.write("Finish now? An overall score needs answers to at least 60 % of the questions.")
        if st.button("Finish and read the report", key="finish", type="primary"):
            engine.finish(token)
            st.rerun()
        st.write("Or leave no trace: this deletes everything you wrote here.")
        if st.button("Delete this interview", key="delete", icon=":material/delete:"):
            forget(engine, token)


def forget(engine: Engine, token: str) -> None:
    """Delete the interview and say so on the first screen."""
    engine.delete(token)
    drop(token)
    st.query_params.clear()
    st.session_state.deleted = True
    st.rerun()


def _past(number: int, turn: Turn) -> None:
    with st.chat_message("assistant", avatar=INTERVIEWER):
        st.markdown(f"**{number + 1}.** {escape(turn.question.text)}")
    if turn.state == "skipped":
        st.caption("Skipped")
        return
    with st.chat_message("user", avatar=CANDIDATE):
        st.text(turn.answer)
    if turn.feedback:
        with st.chat_message("assistant", avatar=INTERVIEWER):
            show_reaction(turn.feedback)


def show_reaction(feedback: Feedback) -> None:
    st.markdown(escape(" ".join(feedback.reaction.split())))
    if feedback.follow_up:
        st.caption(f":material/subdirectory_arrow_right: Likely follow-up: {escape(feedback.follow_up)}")
    if feedback.note:
        st.caption(f":material/info: {escape(feedback.note)}")


def _answer_box(engine: Engine, token: str, number: int, turn: Turn) -> None:
    key = f"answer-{number}"
    st.caption(
        f"{label(turn.question.competency)} · aim for {AIM[turn.question.kind]} words, about one to two minutes"
    )
    with st.form(f"form-{number}", border=False):
        answer = st.text_area(
            "Your answer", turn.draft, key=key, height=220, placeholder="Type your answer. Ctrl+Enter sends it."
        )
        row = st.container(horizontal=True, vertical_alignment="center")
        sent = row.form_submit_button(
            "Send answer",
            type="primary",
            icon=":material/send:",
            key=f"send-{number}",
            on_click=_remember,
            args=(number,),
        )
        skipped = row.form_submit_button("Skip", type="tertiary", key=f"skip-{number}")
    progress = st.container()
    with st.expander("Hint", icon=":material/lightbulb:"):
        st.markdown(escape(turn.question.hint))
    keep_draft(key, lambda text: engine.keep_draft(token, number, text))
    if skipped:
        engine.skip(token, number)
        st.rerun()
    if sent:
        with progress:
            _send(engine, token, number, answer)


def _remember(number: int) -> None:
    """Note what was sent before the page is drawn again, in case the interview has moved on in another tab."""
    st.session_state.sent = Sent(number, st.session_state[f"answer-{number}"])


def show_left_behind(interview: Interview | None) -> None:
    """Give back a text that was sent to a question which another tab had answered, skipped, ended or deleted."""
    sent = st.session_state.pop("sent", None)
    if sent is None:
        return
    turn = interview.turns[sent.number] if interview and sent.number < len(interview.turns) else None
    waits = interview and interview.finished_at is None and turn and turn.state == "open"
    if not waits and sent.text.strip() not in ("", turn.answer if turn else ""):
        st.warning(MOVED_ON, icon=":material/tab:")
        st.text(sent.text)


def _send(engine: Engine, token: str, number: int, answer: str) -> None:
    try:
        with st.spinner("Saved. Reading your answer…", show_time=True):
            engine.answer(token, number, answer)
    except gate.NotSent as reason:
        st.warning(str(reason), icon=":material/edit:")
        return
    st.rerun()


def _waiting(engine: Engine, token: str, number: int, turn: Turn) -> None:
    """An answer that was saved but not graded: by a server that stopped, or by another tab right now."""
    with st.chat_message("user", avatar=CANDIDATE):
        st.text(turn.answer)
    _fetch(engine, token, number)


def catch_up(engine: Engine, token: str, interview: Interview) -> None:
    """Score what is left of an interview that has ended: by a server that stopped, or by another tab right now."""
    waiting = [n for n, turn in enumerate(interview.turns) if turn.state == "waiting"]
    if waiting and interview.mode == "lean":
        _fetch(engine, token, waiting[0])


def _fetch(engine: Engine, token: str, number: int) -> None:
    """Ask for the feedback on a saved answer, and look again until whoever else is at it has it."""

    def is_there() -> bool:
        return engine.grade(token, number).turns[number].state in ("done", "skipped")

    with st.spinner("Your answer is saved. Feedback is on its way…"):
        found = is_there()
    if found:
        st.rerun()

    @st.fragment(run_every=NEXT_LOOK)
    def look_again() -> None:
        st.caption("The feedback is being fetched. This page shows it as soon as it is there.")
        if is_there():
            st.rerun()

    look_again()
