"""The interviews that were begun in this browser: go on, read again, compare, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.interview.past import Past, Shelf, comparable
from core.interview.report import escape
from pages.parts import past_keeper

FEWEST_DRAWN = 2
NUMBER = "Interview, oldest first"
LATEST = 5  # that are shown at once
MODES = {"full": "", "lean": "short mode", "offline": "offline"}


@st.fragment
def show_past(shelf: Shelf, forget_candidate: Callable[[str], None]) -> None:
    """List them below the setup form; nothing where the browser knows of none. Reruns only itself.

    `forget_candidate` deletes what else is kept under the name of whoever uses this browser.
    """
    past_keeper.ask_browser()
    kept = past_keeper.kept()
    past = shelf.summaries(kept.tokens)
    if not past:
        return
    st.subheader("Your interviews in this browser")
    _trend(past)
    for one in past[:LATEST]:
        _row(shelf, one)
    if earlier := past[LATEST:]:
        with st.expander(f"Earlier interviews ({len(earlier)})"):
            for one in earlier:
                _row(shelf, one)
    _delete_all(shelf, len(past), forget_candidate)


def _trend(past: Sequence[Past]) -> None:
    drawn = comparable(past)
    if len(drawn) < FEWEST_DRAWN:
        return
    scores = [one.overall for one in drawn]
    ruler = drawn[0].ruler
    assert ruler is not None
    digits = len(str(len(drawn)))
    st.line_chart(
        pd.DataFrame({NUMBER: [f"{n:0{digits}}" for n in range(1, len(drawn) + 1)], "Overall score": scores}),
        x=NUMBER,
        y="Overall score",
        height=180,
        alt=f"Overall scores out of 100 of {len(drawn)} interviews, oldest first: "
        + ", ".join(f"{score} on {_day(one.at)}" for score, one in zip(scores, drawn, strict=True)),
    )
    left_out = sum(one.overall is not None for one in past) - len(drawn)
    others = f" Not drawn: {left_out} by another grader or rubric." if left_out else ""
    st.caption(f"Interviews that were all scored by {escape(ruler.model)}, rubric {escape(ruler.rubric)}.{others}")


def _row(shelf: Shelf, one: Past) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{escape(one.role)}**  \n{_day(one.at)} · {_result(one)}", width="stretch")
        actions = st.container(horizontal=True, width="content")
        if actions.button(
            "Go on" if one.open else "Read",
            key=f"open-{one.token}",
            help=f"{'Go on with' if one.open else 'Read the report of'} the interview of {_day(one.at)}",
        ):
            st.query_params["interview"] = one.token
            st.rerun()
        with actions.popover("Delete", type="tertiary", icon=":material/delete:"):
            st.write("Delete this interview and everything you wrote in it? This cannot be undone.")
            st.button(
                "Delete it",
                key=f"forget-{one.token}",
                type="primary",
                on_click=lambda: _forget(shelf, [one.token]),
            )


def _delete_all(shelf: Shelf, count: int, forget_candidate: Callable[[str], None]) -> None:
    with st.popover("Delete all", type="tertiary", icon=":material/delete_forever:"):
        many = f"all {count} interviews" if count > 1 else "this interview"
        st.write(f"Delete {many} and whatever else is kept of you here? This cannot be undone.")
        kept = past_keeper.kept()

        def everything() -> None:
            _forget(shelf, kept.tokens)
            forget_candidate(kept.candidate)
            past_keeper.drop(kept.candidate)

        st.button("Delete everything", key="forget-all", type="primary", on_click=everything)


def _forget(shelf: Shelf, tokens: Sequence[str]) -> None:
    shelf.forget(tokens)
    past_keeper.drop(*tokens)


def _result(one: Past) -> str:
    if one.open:
        return f"{one.open} {'question' if one.open == 1 else 'questions'} to go"
    mode = f" ({MODES[one.mode]})" if MODES[one.mode] else ""
    return f"{one.band}, {one.overall} of 100{mode}" if one.overall is not None else f"Not scored{mode}"


def _day(at: float) -> str:
    """In the reader's own time zone, where the browser tells it."""
    day = datetime.fromtimestamp(at, ZoneInfo(st.context.timezone or "UTC"))
    return f"{day.day} {day:%b %Y}"
