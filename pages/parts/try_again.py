"""Another go at a question: a box, one call, and which anchors are newly lit. The first answer keeps the score."""

from __future__ import annotations

import streamlit as st

from core.interview import gate, report, rubric
from core.interview.after import After
from core.interview.model import Try, Turn
from core.interview.report import Page
from pages.parts.conversation import show_reaction

BUSY = "No AI can read another answer right now. Come back to this page later; it stays here."


def show_try_again(after: After, token: str, page: Page, place: str, may_ask: bool) -> None:
    """`place` keeps two boxes for the same question on one page apart."""
    turn = page.turn
    if turn.tries:
        _outcome(turn, turn.tries[-1])
    if not may_ask:
        st.caption(BUSY)
        return
    key = f"{place}-{page.number}"
    with st.form(f"try-form-{key}", border=False):
        answer = st.text_area(
            "Your new answer", turn.tries[-1].answer if turn.tries else "", key=f"try-{key}", height=180
        )
        sent = st.form_submit_button("Send it: 1 call", icon=":material/send:", key=f"try-send-{key}")
    if sent:
        _send(after, token, page.number - 1, answer)


def _send(after: After, token: str, number: int, answer: str) -> None:
    try:
        with st.spinner("Reading your new answer…", show_time=True):
            after.try_again(token, number, answer)
    except gate.NotSent as reason:
        st.warning(str(reason), icon=":material/edit:")
        return
    st.rerun()


def _outcome(turn: Turn, tried: Try) -> None:
    if tried.feedback is None:
        st.caption("Your new answer is saved and being read. Reload the page in a moment.")
        return
    show_reaction(tried.feedback)
    if not tried.feedback.scored:
        return
    meanings = rubric.anchors(turn.question.kind)
    newly = [meanings[a] for a in meanings if a in report.newly_lit(turn, tried)]
    gone = [meanings[a] for a in meanings if a in rubric.lit(turn) - report.lit_by(turn, tried)]
    if newly:
        st.markdown("**Newly lit** " + " ".join(f":green-badge[:material/add: {words}]" for words in newly))
    else:
        st.markdown("**Newly lit** nothing yet. Try the drill first, then once more.")
    if gone:
        st.markdown("**No longer there** " + " ".join(f":gray-badge[{words}]" for words in gone))
