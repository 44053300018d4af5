"""What first choices that failed have cost: one that is always asked first and never answers goes unseen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from core.tally import Tally
from providers.registry import Catalog

HOUR, SHOWN_HOURS = 3_600.0, 24
Hours = Mapping[str, Mapping[str, Tally]]


def show_waste(hours: Hours, catalog: Catalog, now: float) -> None:
    """Nothing where there are no `hours`, which are tallies by hour and provider as the history gives them."""
    names = list(dict.fromkeys(name for tallies in hours.values() for name in tallies))
    if not names:
        return
    labels = {name: catalog[name].label if name in catalog else name for name in names}
    axis = [f"{datetime.fromtimestamp(now - n * HOUR, UTC):%Y-%m-%dT%H}" for n in range(SHOWN_HOURS, -1, -1)]
    st.subheader("First choices in the last 24 hours")
    st.caption("A first choice that fails costs a call and the candidate's time before the next route is asked.")
    by_name = {name: [hours.get(hour, {}).get(name, Tally()) for hour in axis] for name in names}
    highest = max(tally.wasted_calls for tallies in by_name.values() for tally in tallies)
    _table("of each provider", [_summary(labels[name], tallies) for name, tallies in by_name.items()], highest)
    details = [
        {"Hour (UTC)": datetime.fromisoformat(hour), "Provider": labels[name], **_figures(tally)}
        for hour, tallies in reversed(list(hours.items()))
        for name, tally in tallies.items()
        if tally.first_calls
    ]
    if details:
        with st.expander("Hour by hour"):
            _table("by hour and provider", details)


def _summary(label: str, tallies: Sequence[Tally]) -> dict[str, object]:
    whole = sum(tallies, Tally())
    return {
        "Provider": label,
        **_figures(whole),
        "Failed by hour": [tally.wasted_calls for tally in tallies],
        "All calls": whole.calls,
        "Saved by cache": whole.saved,
    }


def _figures(tally: Tally) -> dict[str, object]:
    return {
        "Asked first": tally.first_calls,
        "Failed": tally.wasted_calls,
        "Wasted": None if tally.waste is None else 100 * tally.waste,
        "Seconds lost": tally.wasted_seconds,
    }


def _table(what: str, rows: list[dict[str, object]], highest: int = 0) -> None:
    """`highest` is the number that the tallest bar stands for, in every row."""
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "Hour (UTC)": st.column_config.DatetimeColumn("Hour (UTC)", format="D MMM, HH:mm"),
            "Wasted": st.column_config.ProgressColumn(
                "Wasted", min_value=0, max_value=100, format="%.0f %%", color="orange"
            ),
            "Seconds lost": st.column_config.NumberColumn("Seconds lost", format="%.1f"),
            "Failed by hour": st.column_config.BarChartColumn(
                "Failed by hour", y_min=0, y_max=max(1, highest), color="orange"
            ),
        },
        height="content",
        alt=f"First choices {what}: how many there were, how many failed and the seconds lost",
    )
