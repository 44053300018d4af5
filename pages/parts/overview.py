"""The top and the end of the operations page: three numbers, alerts, and who is not in use."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from core.status import CALLS_PER_INTERVIEW, SystemStatus
from providers.registry import Catalog


def show_headline(status: SystemStatus) -> None:
    at = datetime.fromtimestamp(status.timestamp, UTC)
    st.caption(f"As of {at:%H:%M:%S} UTC; refreshes itself every 30 s.")
    if status.uncounted:
        st.caption(f"Not in these numbers, because nothing counts them: {', '.join(status.uncounted)}.")
    with st.grid(3):
        st.metric("Requests left today", f"{status.total_requests_remaining:,}", border=True)
        st.metric(
            "Interviews left today",
            f"{status.estimated_interviews_remaining:,}",
            border=True,
            help=f"Of eight questions each, at {CALLS_PER_INTERVIEW} calls.",
        )
        st.metric("Providers active", f"{status.providers_active} of {len(status.providers)}", border=True)


def show_alerts(status: SystemStatus) -> None:
    for alert in status.alerts:
        show = st.error if alert.level == "critical" else st.warning
        show(alert.message, icon=":material/warning:")


def show_catalogue(status: SystemStatus, catalog: Catalog) -> None:
    """What the plan said beside what holds now, for everyone in the catalogue."""
    st.subheader("The catalogue: what was claimed and what holds")
    rows = [
        {
            "Provider": row.label,
            "In use": status.off.get(name, "yes"),
            "As of": row.as_of,
            "Key": row.console,
            "Original plan": row.claim or "not in it",
            "Today": row.fact,
        }
        for name, row in catalog.items()
    ]
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Key": st.column_config.LinkColumn("Key", display_text="Get a key"),
            "Today": st.column_config.TextColumn("Today", width="large"),
        },
        alt="Every provider of the catalogue with its claimed and its real free quota",
    )
