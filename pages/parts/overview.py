"""The top and the end of the operations page: three numbers, alerts, and who is not in use."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from core.status import CALLS_PER_INTERVIEW, SystemStatus
from providers.freshness import DAYS_FRESH, stale
from providers.guide import facts, prose
from providers.registry import Catalog, ProviderRow


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


def show_stale(status: SystemStatus, catalog: Catalog) -> None:
    """One line for all in use whose facts nobody has looked at for long; none where they are fresh."""
    today = datetime.fromtimestamp(status.timestamp, UTC).date()
    in_use = {name: row for name, row in catalog.items() if name not in status.off}
    old = [f"{prose(row.label)} (as of {row.as_of})" for row in stale(in_use, today)]
    if old:
        its, what = ("its", old[0]) if len(old) == 1 else ("their", f"{', '.join(old[:-1])} and {old[-1]}")
        st.warning(
            f"Facts about {what} are older than {DAYS_FRESH} days: check {its} limits.", icon=":material/history:"
        )


def show_catalogue(status: SystemStatus, catalog: Catalog) -> None:
    """What the plan said beside what holds now, for everyone in the catalogue."""
    st.subheader("The catalogue: what was claimed and what holds")
    rows = [
        {
            "Provider": row.label,
            "In use": status.off.get(name, "yes"),
            "As of": row.as_of,
            "Key": None if row.free in ("own", "retired") else row.console,
            "Original plan": row.claim or "no figure",
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
        height="content",
        placeholder="",
        alt="Every provider of the catalogue with its claimed and its real free quota",
    )
    st.caption("Terms, caveats and sources:")
    with st.grid(min_column_width=420):
        for name, row in sorted(catalog.items(), key=lambda item: (item[0] in status.off, item[1].priority)):
            _about(row, status.off.get(name))


def _about(row: ProviderRow, off: str | None) -> None:
    with st.expander(f"**{prose(row.label)}**" + ("" if off else " · in use")):
        if off:
            st.caption(f"Not in use: {prose(off)}")
        st.markdown(facts(row))
