"""The operations page's own door. Every page and action that shows or changes operations calls require_admin."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

import streamlit as st

from core.access import Access
from core.app import current

IDLE_SECONDS, LONGEST_SECONDS = 15 * 60, 8 * 3600
GRANT = "admin_grant"


@dataclass(frozen=True)
class Grant:
    """Permission for one browser: tied to its cookie, so that a stolen session id is not enough."""

    browser: str
    since: float
    seen: float


def require_admin() -> None:
    """Return if this browser is signed in; else show the sign-in form and end the run."""
    now = time.monotonic()
    grant = st.session_state.get(GRANT)
    if isinstance(grant, Grant) and grant.browser == _browser() and _fresh(grant, now):
        st.session_state[GRANT] = Grant(grant.browser, grant.since, now)
        return
    st.session_state.pop(GRANT, None)
    _sign_in(current().access)
    st.stop()


def sign_out() -> None:
    st.session_state.pop(GRANT, None)


def _fresh(grant: Grant, now: float) -> bool:
    return now - grant.seen < IDLE_SECONDS and now - grant.since < LONGEST_SECONDS


def _sign_in(access: Access) -> None:
    st.title("Operations")
    st.write(
        "Enter the one-time code from the server's console."
        if access.uses_code
        else "Enter the operations password."
    )
    with st.form("sign-in", border=False):
        secret = st.text_input("Code" if access.uses_code else "Password", type="password", key="secret")
        sent = st.form_submit_button("Sign in", type="primary", icon=":material/lock_open:")
    if not sent:
        return
    verdict = access.sign_in(secret)
    if verdict.allowed:
        now = time.monotonic()
        st.session_state[GRANT] = Grant(_browser(), now, now)
        st.rerun()
    if verdict.wait:
        st.error(f"Too many attempts. Try again in {verdict.wait / 60:.0f} min.", icon=":material/timer:")
    else:
        st.error("That is not right. Check it and try again.", icon=":material/error:")


def _browser() -> str:
    """A fingerprint of the cookie that Streamlit gives each browser; "" where there is none.

    The cookie's text changes with every reply (it is masked afresh), the token inside does not.
    """
    from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string

    cookie = st.context.cookies.get("_streamlit_xsrf")
    if not isinstance(cookie, str):
        return ""
    token, _ = decode_xsrf_token_string(cookie)
    return hashlib.sha256(token or b"").hexdigest()
