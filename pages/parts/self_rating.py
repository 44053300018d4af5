"""Rate yourself before you look: the candidate marks what an answer shows, then sees what was found in it."""

from __future__ import annotations

import streamlit as st

from core.interview import rubric
from core.interview.after import After
from core.interview.model import Turn
from core.interview.report import Page

SHOWN = "shown-results"  # in the session: which answers were opened without a rating
LIT, UNLIT = "green", "gray"


def is_hidden(token: str, page: Page) -> bool:
    """Is the result of this answer still to be looked at?"""
    turn = page.turn
    judged = turn.feedback is not None and turn.feedback.origin.by != "gate"
    opened = turn.self_met is not None or turn.second is not None or turn.tries
    return judged and not opened and (token, page.number) not in _shown()


def show_all(token: str, pages: tuple[Page, ...]) -> None:
    _shown().update((token, page.number) for page in pages)


def offer_rating(after: After, token: str, page: Page) -> None:
    st.markdown(
        "**Before you look:** what does this answer show? Mark what you think; it is never part of a score."
    )
    meanings = rubric.anchors(page.turn.question.kind)
    with st.form(f"self-{page.number}", border=False):
        marked: list[str] = []
        for letter, dimension in rubric.DIMENSIONS.items():
            marked += st.pills(
                dimension,
                [anchor for anchor in meanings if anchor.startswith(letter)],
                selection_mode="multi",
                format_func=meanings.__getitem__,
                key=f"self-{page.number}-{letter}",
            )
        row = st.container(horizontal=True)
        rated = row.form_submit_button(
            "Save and compare", icon=":material/compare_arrows:", key=f"self-save-{page.number}"
        )
        looked = row.form_submit_button("Just show me", type="tertiary", key=f"self-look-{page.number}")
    if rated:
        after.rate_self(token, page.number - 1, tuple(marked))
        st.rerun()
    if looked:
        _shown().add((token, page.number))
        st.rerun()


def show_comparison(page: Page) -> None:
    """The candidate's own marks beside what was found; nothing where there are none."""
    turn = page.turn
    if turn.self_met is None:
        return
    mine = frozenset(turn.self_met)
    if not (turn.feedback and turn.feedback.scored):
        _line(turn, "You marked", mine, LIT)
        return
    _line(turn, "You and the grader agree on", mine & page.lit, LIT)
    _line(turn, "Only you marked", mine - page.lit, UNLIT)
    _line(turn, "You missed that you showed", page.lit - mine, LIT)


def _line(turn: Turn, label: str, anchors: frozenset[str], colour: str) -> None:
    named = [words for code, words in rubric.anchors(turn.question.kind).items() if code in anchors]
    if named:
        st.markdown(f"**{label}** " + " ".join(f":{colour}-badge[{words}]" for words in named))


def _shown() -> set[tuple[str, int]]:
    shown: set[tuple[str, int]] = st.session_state.setdefault(SHOWN, set())
    return shown
