"""What people see when something of ours breaks: a calm line and what to do. Details go to the log only."""

import logging

import streamlit as st

from core.interview.archive import UnknownInterview
from core.stores.contract import StoreError

log = logging.getLogger(__name__)


def show_trouble(error: Exception) -> bool:
    """Streamlit calls this with an uncaught error; True keeps Streamlit's own display away."""
    if isinstance(error, UnknownInterview):
        st.warning(f"{error} Reload the page to start a new one.", icon=":material/link_off:")
    elif isinstance(error, StoreError):
        log.error("The store failed: %s", error)
        st.error(
            "We cannot read or save right now. What you sent before is safe, the text below is not: copy it, "
            "wait a minute, then reload.",
            icon=":material/database_off:",
        )
        for text in (str(v) for k, v in st.session_state.items() if str(k).startswith("answer-") and v):
            st.code(text, language=None, wrap_lines=True)
    else:
        log.exception("A page failed", exc_info=error)
        st.error(
            "Something broke on our side. Your interview is saved up to the last step; reload the page to go on.",
            icon=":material/build:",
        )
    return True
