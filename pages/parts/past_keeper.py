"""What the browser itself remembers: which interviews were begun in it, and a random name for whoever uses it.

Both stand in the browser's own storage and nowhere else; an invisible component brings them here. An interview
that was opened by its link alone is not taken up, so that deleting all deletes what was begun here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import streamlit as st

from core.interview.past import MOST

_KEY = "past-keeper"
_TOKEN = re.compile(r"[\w-]{16,100}", re.ASCII)
_JS = """
const PLACE = "greenroom.kept";
const isToken = (text) => typeof text === "string" && /^[A-Za-z0-9_-]{16,100}$/.test(text);
const read = () => {
  try {
    const found = JSON.parse(localStorage.getItem(PLACE) ?? "{}");
    const tokens = Array.isArray(found.tokens) ? found.tokens.filter(isToken) : [];
    return { tokens, candidate: isToken(found.candidate) ? found.candidate : "" };
  } catch {
    return { tokens: [], candidate: "" };
  }
};
const random = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};
export default function ({ data, setStateValue, parentElement }) {
  const found = read();
  const gone = new Set(data.gone);
  const all = new Set([...found.tokens, ...data.begun]);
  const tokens = [...all].filter((token) => !gone.has(token)).slice(-data.most);
  const candidate = !found.candidate || gone.has(found.candidate) ? random() : found.candidate;
  const kept = JSON.stringify({ tokens, candidate });
  try { localStorage.setItem(PLACE, kept); } catch { /* private windows may refuse; then this page alone knows */ }
  if (parentElement.told === kept) return;
  parentElement.told = kept;
  setStateValue("kept", kept);
}
"""


@dataclass(frozen=True)
class Kept:
    """Interview tokens in the order in which they came, and the name of whoever uses this browser."""

    tokens: tuple[str, ...] = ()
    candidate: str = ""


def kept() -> Kept:
    """As far as the browser has told; nothing on the first run of a page."""
    found = st.session_state.get("past_kept", Kept())
    assert isinstance(found, Kept)
    return found


def remember(token: str) -> None:
    """Have the browser keep the token of an interview that was begun in it."""
    st.session_state.setdefault("past_begun", []).append(token)


def drop(*names: str) -> None:
    """Have the browser forget tokens, or the candidate's name, which it then replaces."""
    st.session_state.setdefault("past_gone", []).extend(names)
    left = kept()
    st.session_state.past_kept = Kept(
        tuple(token for token in left.tokens if token not in names),
        "" if left.candidate in names else left.candidate,
    )


def ask_browser() -> None:
    """Exchange what is known with the browser. Call it once on every run, in a fragment or out of one."""
    component = st.components.v2.component("greenroom_past_keeper", js=_JS)
    gone = list(st.session_state.get("past_gone", ()))
    begun = [token for token in st.session_state.get("past_begun", ()) if token not in gone]
    component(key=_KEY, data={"begun": begun, "gone": gone, "most": MOST}, on_kept_change=_told, height=0)


@st.fragment
def keep_past() -> None:
    """Exchange what is known with the browser, on pages that show nothing of it. Reruns only itself."""
    ask_browser()


def _told() -> None:
    st.session_state.past_kept = _parsed(st.session_state[_KEY].kept)


def _parsed(found: object) -> Kept:
    """What a browser sends may be anything."""

    try:
        told = json.loads(found) if isinstance(found, str) and len(found) < 20_000 else {}
        names = [*told["tokens"], told["candidate"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Kept()
    if not all(isinstance(name, str) and _TOKEN.fullmatch(name) for name in names):
        return Kept()
    gone = set(st.session_state.get("past_gone", ()))
    return Kept(tuple(n for n in names[:-1] if n not in gone)[-MOST:], "" if names[-1] in gone else names[-1])
