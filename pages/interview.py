"""Practice: set up, answer, read the report. The address carries the interview, so a refresh resumes it."""

import streamlit as st

from core.app import current
from core.interview.archive import UnknownInterview
from pages.parts.conversation import catch_up, show_conversation, show_left_behind
from pages.parts.past import show_past
from pages.parts.past_keeper import keep_past
from pages.parts.report import show_report
from pages.parts.resume_check import show_left_out
from pages.parts.setup import show_setup

app = current()
engine = app.engine
token = st.query_params.get("interview")

try:
    interview = engine.load(token) if token else None
except UnknownInterview as unknown:
    st.warning(f"{unknown} Start a new one below.", icon=":material/link_off:")
    token = interview = None

show_left_behind(interview)
if token is None or interview is None:
    show_setup(engine)
    show_past(app.shelf, app.reviewer.forget)
else:
    keep_past()
    show_left_out()
    if interview.current is None:
        catch_up(engine, token, interview)
        show_report(engine, token, interview)
    else:
        show_conversation(engine, token, interview)
