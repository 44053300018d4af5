"""Practice: set up, answer, read the report. The address carries the interview, so a refresh resumes it."""

import streamlit as st

from core.app import current
from core.interview.archive import UnknownInterview
from pages.parts.conversation import show_conversation, show_left_behind
from pages.parts.report import show_report
from pages.parts.setup import show_setup

engine = current().engine
token = st.query_params.get("interview")

try:
    interview = engine.load(token) if token else None
except UnknownInterview as unknown:
    st.warning(f"{unknown} Start a new one below.", icon=":material/link_off:")
    token = interview = None

show_left_behind(interview)
if token is None or interview is None:
    show_setup(engine)
elif interview.current is None:
    show_report(engine, token, interview)
else:
    show_conversation(engine, token, interview)
