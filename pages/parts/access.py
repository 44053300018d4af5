"""The operations page's own door. Every page and action that shows or changes operations calls require_admin."""

from __future__ import annotations

import hashlib
import math
import secrets

import streamlit as st

from core.access import Access
from core.app import current


def require_admin(in_use: bool = True) -> None:
    """Return if this browser is signed in; else show the sign-in form and end the run.

    A page that only refreshes itself is not `in_use`, so that it does not keep an absent admin signed in.
    """
    access = current().access
    if access.is_admitted(_browser(), in_use):
        return
    _sign_in(access)
    st.stop()


def sign_out() -> None:
    current().access.dismiss(_browser())


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
        access.admit(_browser())
        st.rerun()
    if verdict.wait:
        st.error(f"Too many attempts. Try again in {math.ceil(verdict.wait / 60)} min.", icon=":material/timer:")
    else:
        st.error("That is not right. Check it and try again.", icon=":material/error:")


def _browser() -> str:
    """A fingerprint of the cookie that Streamlit gives each browser, so that a stolen session id is not enough.

    The cookie's text changes with every reply (it is masked afresh), the token inside does not. Where there is no
    cookie, the fingerprint is one that only this session knows.
    """
    from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string

    cookie = st.context.cookies.get("_streamlit_xsrf")
    token = decode_xsrf_token_string(cookie)[0] if isinstance(cookie, str) else None
    if token is None:
        token = st.session_state.setdefault("no_cookie", secrets.token_bytes(16))
    return hashlib.sha256(token).hexdigest()
