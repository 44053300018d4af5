"""Keeps what stands in the boxes of the first screen through a refresh, in the browser and nowhere else.

The words go to the tab's own storage, which ends with the tab: a resume is nothing to leave behind on a computer
that others use, nor on a server before anybody asked for an interview.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

LONGEST = 60_000  # characters of all boxes together
TRIES = 8  # half a second apart
_KEY = "setup-keeper"
_JS = """
const PLACE = "greenroom.setup";
const read = () => { try { return JSON.parse(sessionStorage.getItem(PLACE) ?? "{}"); } catch { return {}; } };
const write = (kept) => { try { sessionStorage.setItem(PLACE, JSON.stringify(kept)); } catch { /* not kept */ } };
export default function ({ data, setStateValue, parentElement }) {
  const box = (key) => document.querySelector(`.st-key-${CSS.escape(key)} textarea`);
  const state = (parentElement.keeper ??= { kept: read(), typed: false, asked: 0 });
  const isMissing = (key) => typeof state.kept[key] === "string" && state.kept[key] && !box(key)?.value;
  const fills = () => !state.typed && state.asked < data.tries && data.keys.some(isMissing);
  const fill = () => {
    // Until it is there: what another part of the page sends meanwhile says that the boxes are empty.
    if (!fills()) return;
    state.asked += 1;
    setStateValue("kept", JSON.stringify({ ...state.kept, asked: state.asked }));
  };
  const save = () => {
    if (fills()) return;
    const kept = read();
    for (const key of data.keys) kept[key] = box(key)?.value ?? kept[key];
    write(kept);
  };
  const typed = (event) => {
    if (!data.keys.some((key) => event.target === box(key))) return;
    state.typed = true;
    save();
  };
  state.stop?.();
  document.addEventListener("input", typed, true);
  addEventListener("pagehide", save);
  if (state.asked === 0) fill();
  const soon = setInterval(() => (fills() ? fill() : save()), 500);
  state.stop = () => {
    clearInterval(soon);
    document.removeEventListener("input", typed, true);
    removeEventListener("pagehide", save);
  };
  return state.stop;
}
"""


@st.fragment
def keep_setup(keys: Sequence[str]) -> None:
    """Fill the text areas with these widget keys as they were left, unless something stands in them already.

    Call it on every run that shows them. Reruns only itself, and the page once if there was something to fill in.
    """

    def told() -> None:
        for key, text in _parsed(st.session_state[_KEY].kept, keys).items():
            if not st.session_state.get(key):
                st.session_state[key] = text
        st.session_state.setup_filled = True

    component = st.components.v2.component("greenroom_setup_keeper", js=_JS)
    # A length that changes has the component look at the boxes again.
    lengths = [len(st.session_state.get(key) or "") for key in keys]
    data = {"keys": list(keys), "lengths": lengths, "tries": TRIES}
    component(key=_KEY, data=data, on_kept_change=told, height=0)
    # Asked for here, since another fragment's answer may reach the server together with this one, and then the
    # page is not drawn anew by itself.
    if st.session_state.pop("setup_filled", False):
        st.rerun()


def _parsed(found: object, keys: Sequence[str]) -> dict[str, str]:
    """What a browser sends may be anything."""
    try:
        told = json.loads(found) if isinstance(found, str) and len(found) <= LONGEST else {}
    except (ValueError, RecursionError):
        return {}
    kept = {key: told.get(key) for key in keys} if isinstance(told, dict) else {}
    return {key: text for key, text in kept.items() if isinstance(text, str)}
