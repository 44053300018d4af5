"""A new screen begins at its top; Streamlit would keep the place where the last one was left."""

import streamlit as st

# Content arrives piece by piece and the browser holds on to what it shows, so once is not enough; whoever scrolls
# meanwhile is left alone.
_JS = """
export default function ({ parentElement, data }) {
  if (parentElement.screen === data.screen) return;
  parentElement.screen = data.screen;
  let moved = false;
  const stop = () => { moved = true; };
  for (const sign of ["wheel", "touchmove", "keydown"]) {
    document.addEventListener(sign, stop, { once: true, passive: true });
  }
  const up = () => { if (!moved) document.querySelector('[data-testid="stMain"]')?.scrollTo({ top: 0 }); };
  for (const wait of [0, 100, 300, 700, 1200]) setTimeout(up, wait);
}
"""


def scroll_to_top(screen: str) -> None:
    """Scroll up when this screen is shown first."""
    component = st.components.v2.component("greenroom_scroll", js=_JS, html="<span hidden></span>")
    component(key="scroll-to-top", data={"screen": screen}, height=0)
