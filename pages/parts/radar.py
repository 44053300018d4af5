"""The competencies as a radar, with the target of the level. It shows bands; numbers come on demand."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go
import streamlit as st

from core.interview import rubric
from core.interview.report import label

FEWEST_AXES = 3  # fewer span no area
GREEN, AMBER = "#2f8f73", "#d08a2e"  # readable on the light and on the dark background
FILL, GRID = "rgba(47,143,115,0.22)", "rgba(128,136,128,0.35)"


def show_radar(scores: Mapping[str, float], target: float, level: str) -> None:
    if len(scores) < FEWEST_AXES:
        return
    st.plotly_chart(
        _radar(scores, target),
        key="radar",
        config={"displayModeBar": False},
        alt=_in_words(scores, target, level),
    )


def _radar(scores: Mapping[str, float], target: float) -> go.Figure:
    names = [_broken(label(name)) for name in scores]
    around = [*names, names[0]]
    marks = list(scores.values())
    told = [f"{label(name)}: {rubric.band(score)}, {score:g} of 10" for name, score in scores.items()]
    figure = go.Figure(
        [
            go.Scatterpolar(
                r=[target] * len(around),
                theta=around,
                mode="lines",
                name="Target",
                line={"color": AMBER, "dash": "dash", "width": 2},
                hoverinfo="skip",
            ),
            go.Scatterpolar(
                r=[*marks, marks[0]],
                theta=around,
                mode="lines+markers",
                name="You",
                fill="toself",
                fillcolor=FILL,
                line={"color": GREEN, "width": 3},
                text=[*told, told[0]],
                hoverinfo="text",
            ),
        ]
    )
    bands = [(least, name) for least, name in reversed(rubric.RULES.bands) if least]
    figure.update_layout(
        height=360,
        margin={"l": 70, "r": 70, "t": 34, "b": 48},
        legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.12},
        polar={
            "bgcolor": "rgba(0,0,0,0)",
            "radialaxis": {
                "range": [0, 10],
                "tickvals": [least for least, _ in bands],
                "ticktext": [name for _, name in bands],
                "tickfont": {"size": 10},
                "angle": 90,
                "tickangle": 90,
                "gridcolor": GRID,
                "showline": False,
                "ticks": "",
            },
            "angularaxis": {"direction": "clockwise", "rotation": 90, "gridcolor": GRID, "linecolor": GRID},
        },
    )
    return figure


def _broken(name: str) -> str:
    """On two lines, or a phone would cut it off."""
    return name.replace(" ", "<br>", 1)


def _in_words(scores: Mapping[str, float], target: float, level: str) -> str:
    told = ", ".join(f"{label(name)} {rubric.band(score).lower()} ({score:g})" for name, score in scores.items())
    return f"Radar of your competencies, out of 10: {told}. The target for {level} level is {target:g}."
