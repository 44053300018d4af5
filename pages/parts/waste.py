"""What first choices that failed have cost: one that is always asked first and never answers goes unseen."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from core.tally import Tally
from providers.registry import Catalog


def show_waste(hours: Mapping[str, Mapping[str, Tally]], catalog: Catalog) -> None:
    labels = {name: row.label for name, row in catalog.items()}
    rows = [
        _row(hour, labels.get(name, name), tally)
        for hour, tallies in reversed(list(hours.items()))
        for name, tally in tallies.items()
    ]
    if not rows:
        return
    st.subheader("First choices in the last 24 hours")
    st.caption("A first choice that fails costs a call and the candidate's time before the next route is asked.")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "Wasted": st.column_config.ProgressColumn("Wasted", min_value=0, max_value=100, format="%.0f %%"),
            "Seconds lost": st.column_config.NumberColumn("Seconds lost", format="%.1f"),
        },
        height="content",
        alt="By hour and provider: how often it was the first choice, how often that failed and the seconds lost",
    )


def _row(hour: str, label: str, tally: Tally) -> dict[str, object]:
    return {
        "Hour (UTC)": hour.replace("T", " ") + ":00",
        "Provider": label,
        "Calls": tally.calls,
        "Asked first": tally.first_calls,
        "Failed": tally.wasted_calls,
        "Wasted": None if tally.waste is None else 100 * tally.waste,
        "Seconds lost": tally.wasted_seconds,
        "Calls saved by the cache": tally.saved,
    }
