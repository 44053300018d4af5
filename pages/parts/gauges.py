"""One Plotly gauge per provider for its tightest limit, and a table of all limits."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.alerts import CRITICAL_SHARE, WARNING_SHARE
from core.interview.report import escape
from core.quotas import Standing
from core.status import ProviderStatus, SystemStatus
from pages.parts.clocks import until
from providers.contracts import Route

GREEN, AMBER, RED = "#2f8f73", "#d08a2e", "#c4453b"


def show_gauges(status: SystemStatus) -> None:
    if not status.providers:
        st.info(
            "No provider has a key yet, so every interview runs offline. Add a key from the list below to the "
            "environment, .env or .streamlit/secrets.toml and start again.",
            icon=":material/key:",
        )
        return
    with st.grid(min_column_width=260):
        for provider in status.providers:
            with st.container(border=True, height="stretch"):
                _card(provider, status.timestamp)


def show_limits(status: SystemStatus) -> None:
    rows = [_row(p, s, status.timestamp) for p in status.providers for s in p.standings]
    if rows:
        st.subheader("Every limit")
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            column_config={
                "Taken": st.column_config.ProgressColumn("Taken", min_value=0, max_value=100, format="%.0f %%"),
                "Used": st.column_config.NumberColumn("Used", format="localized"),
                "Held": st.column_config.NumberColumn(
                    "Held", format="localized", help="For calls under way and for interviews that have begun."
                ),
                "Left": st.column_config.NumberColumn("Left", format="localized"),
            },
            height="content",
            alt="Every limit of every configured provider with what is used, held and left",
        )


def show_routes(status: SystemStatus) -> None:
    """Who would be asked next for feedback on an answer, and why the others would not."""
    states = ["would be asked next"] + ["stands by"] * len(status.ranking.order)
    rows = [_place(r, s, "", status) for r, s in zip(status.ranking.order, states, strict=False)]
    for out in status.ranking.skipped:
        back = until(out.until, status.timestamp) if out.until else "not by waiting"
        rows.append(_place(out.route, _bare(out.reason, out.route.provider), back, status))
    if rows:
        st.subheader("Routes, in the order they would be tried")
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            column_config={
                "State": st.column_config.TextColumn("State", width=190),
                "Last passed over": st.column_config.TextColumn(
                    "Last passed over (UTC)",
                    width=290,
                    help="When and why it last was not the one to answer a call, as this process saw it.",
                ),
            },
            height="content",
            alt="Every route in its place in line, or why it is passed over and when it is back",
        )


def _place(route: Route, state: str, back: str, status: SystemStatus) -> dict[str, object]:
    passed = status.passed_over.get(route.name)
    last = ""
    if passed:
        last = f"{datetime.fromtimestamp(passed.at, UTC):%d %b %H:%M:%S} {_bare(passed.reason, route.provider)}"
    return {"Route": route.name, "State": state, "Back": back, "Last passed over": last, "Tier": route.tier}


def _bare(reason: str, provider: str) -> str:
    """Without the names of routes, where the page says already whose reason it is."""
    return re.sub(rf"(^|; ){re.escape(provider)}/\S+: ", r"\1", reason)


def _card(provider: ProviderStatus, now: float) -> None:
    st.markdown(f"**{provider.label}**")
    tightest = provider.tightest
    if tightest is None:
        st.caption("Nothing is counted here.")
    else:
        st.plotly_chart(
            _gauge(tightest),
            key=f"gauge-{provider.name}",
            config={"displayModeBar": False},
            alt=f"{provider.label}: {_used(tightest)}",
        )
        pool = tightest.limit.pool.removeprefix(provider.name).removeprefix("/") or "whole account"
        st.caption(f"{_used(tightest)} · {pool} · resets {until(tightest.resets_at, now)}")
    if provider.resting:
        st.badge("Resting", icon=":material/pause_circle:", color="orange")
        if provider.resting != "; ".join(dict.fromkeys(c.reason for c in provider.cooldowns)):
            st.caption(escape(_bare(provider.resting, provider.name)))
    elif provider.calls_left is not None:
        st.caption(f"About {provider.calls_left:,} calls left")
    for cooldown in provider.cooldowns:
        back = until(cooldown.until, now)
        is_whole = cooldown.subject == provider.name
        subject = provider.label if is_whole else cooldown.subject.removeprefix(f"{provider.name}/")
        reason = _bare(cooldown.reason, provider.name)
        st.caption(f":material/timer: {escape(subject)} is back {back}: {escape(reason)}")


def _gauge(standing: Standing) -> go.Figure:
    amount = standing.amount
    taken = round(standing.used + standing.held, 1)
    colour = RED if standing.share >= CRITICAL_SHARE else AMBER if standing.share >= WARNING_SHARE else GREEN
    figure = go.Figure(
        go.Indicator(
            mode="gauge+number",
            value=taken,
            number={"valueformat": ",.0f" if taken == int(taken) else ",.1f", "font": {"size": 34}},
            gauge={
                "axis": {"range": [0, amount], "nticks": 3, "tickformat": ",.2~s"},
                "bar": {"color": colour, "thickness": 0.75},
                "borderwidth": 0,
                "steps": [
                    {"range": [0, WARNING_SHARE * amount], "color": "rgba(47,143,115,0.12)"},
                    {"range": [WARNING_SHARE * amount, CRITICAL_SHARE * amount], "color": "rgba(208,138,46,0.22)"},
                    {"range": [CRITICAL_SHARE * amount, amount], "color": "rgba(196,69,59,0.22)"},
                ],
            },
        )
    )
    figure.update_layout(height=165, margin={"l": 28, "r": 28, "t": 26, "b": 4})
    return figure


def _used(standing: Standing) -> str:
    limit = standing.limit
    held = f" ({_number(standing.held)} held)" if standing.held else ""
    return f"{_number(standing.used + standing.held)} of {_number(standing.amount)} {limit.what}{held}"


def _number(amount: float) -> str:
    return f"{round(amount, 1):,.15g}"


def _row(provider: ProviderStatus, standing: Standing, now: float) -> dict[str, object]:
    limit = standing.limit
    return {
        "Provider": provider.label,
        "Counted for": limit.pool.removeprefix(f"{provider.name}/"),
        "Limit": f"{_number(standing.amount)} {limit.what}",
        "Used": round(standing.used, 1),
        "Held": round(standing.held, 1),
        "Left": round(standing.remaining, 1),
        "Taken": 100 * standing.share,
        "Resets": until(standing.resets_at, now),
        "Source": standing.source,
    }
