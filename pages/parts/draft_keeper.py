"""Saves what is being typed, so that a refresh or a closed tab costs nothing.

Streamlit sends a text box's words only when the form is submitted. This invisible component watches the box with
the given widget key and hands its words over when typing pauses; the box itself is left alone.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

PAUSE_MILLISECONDS = 600

_JS = """
export default function ({ data, setStateValue, parentElement }) {
  const box = () => document.querySelector(`.st-key-${CSS.escape(data.key)} textarea`);
  const state = (parentElement.keeper ??= { sent: null, timer: null });
  const save = () => {
    const text = box()?.value;
    if (text === undefined || text === state.sent) return;
    state.sent = text;
    setStateValue("text", text);
  };
  const typed = (event) => {
    if (event.target !== box()) return;
    clearTimeout(state.timer);
    state.timer = setTimeout(save, data.pause);
  };
  const left = () => { clearTimeout(state.timer); save(); };
  state.stop?.();
  document.addEventListener("input", typed, true);
  document.addEventListener("visibilitychange", left);
  state.stop = () => {
    clearTimeout(state.timer);
    document.removeEventListener("input", typed, true);
    document.removeEventListener("visibilitychange", left);
  };
  return state.stop;
}
"""


@st.fragment
def keep_draft(box_key: str, save: Callable[[str], object]) -> None:
    """Call `save` with the words in the text box `box_key` whenever typing pauses. Reruns only itself."""
    component = st.components.v2.component("greenroom_draft_keeper", js=_JS, html="<span hidden></span>")
    key = f"keeper-{box_key}"

    def changed() -> None:
        typed = st.session_state[key].text
        if isinstance(typed, str):
            save(typed)

    component(key=key, data={"key": box_key, "pause": PAUSE_MILLISECONDS}, on_text_change=changed, height=0)
