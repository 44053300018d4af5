"""The first screen: one short form with good defaults, a resume and a job description if wanted."""

from __future__ import annotations

import streamlit as st

from core.app import current
from core.interview.engine import BadSetup, Engine
from core.interview.model import FEWEST, MOST, Level, Setup, Style
from core.interview.questions import family_of
from core.interview.resume_analyzer import ResumeError, clean_text, read_resume

ANY_ROLE = "General practice"
ROLES = [
    ANY_ROLE,
    "Software engineer",
    "Data analyst",
    "Product manager",
    "UX designer",
    "Marketing specialist",
    "Sales representative",
    "Accountant",
    "HR specialist",
    "Nurse",
    "Teacher",
    "Customer service agent",
    "Warehouse supervisor",
]
LEVELS: dict[Level, str] = {"junior": "Junior", "mid": "Mid-level", "senior": "Senior"}
STYLES: dict[Style, str] = {"mixed": "Mixed", "behavioural": "Behavioural", "technical": "Role knowledge"}
DEFAULT_QUESTIONS = 5


def show_setup(engine: Engine) -> None:
    st.title("Practise the interview before it counts")
    if st.session_state.pop("deleted", False):
        st.success("Deleted: nothing of that interview is left here.", icon=":material/delete:")
    st.write("Real questions, honest feedback that points at your own words. Free, and no account.")
    scored = engine.offers_scores()
    _availability(scored)

    role = st.selectbox(
        "Role", ROLES, accept_new_options=True, key="role", help="Choose one or type your own and press Enter."
    )
    left, right = st.columns(2)
    level = left.radio("Level", list(LEVELS), 1, LEVELS.__getitem__, key="level", horizontal=True)
    style = right.radio("Questions about", list(STYLES), 0, STYLES.__getitem__, key="style", horizontal=True)
    if style != "behavioural" and role and family_of(role) is None and (style, role) != ("mixed", ANY_ROLE):
        st.caption("We have no questions on the craft of this role, so you will get general ones.")
    questions = st.slider("Number of questions", FEWEST, MOST, DEFAULT_QUESTIONS, key="questions")

    with st.expander("Add your resume or the job description", icon=":material/description:"):
        _resume_upload()
        resume = st.text_area(
            "Your resume, as we read it. Correct it here, or paste it.", key="resume", height=180
        )
        job = st.text_area("The job description, if you have one", key="job", height=140)

    started = st.container(horizontal=True, vertical_alignment="center")
    start = started.button("Start", type="primary", icon=":material/play_arrow:", key="start")
    offline = scored and started.button("Practise offline", type="tertiary", key="start-offline")
    if start or offline:
        texts = clean_text(resume).text, clean_text(job).text
        _start(engine, Setup(role or "", level, style, questions, *texts), offline)
    _consent()


def _availability(scored: bool) -> None:
    if scored:
        st.badge("Full practice: AI feedback with scores", icon=":material/check_circle:", color="green")
    else:
        st.badge(
            "Offline practice: coaching, no score",
            icon=":material/cloud_off:",
            color="orange",
        )


def _resume_upload() -> None:
    st.session_state.setdefault("upload_round", 0)
    st.file_uploader(
        "Upload a PDF, DOCX or TXT, at most 5 MB",
        type=["pdf", "docx", "txt"],
        key=f"upload-{st.session_state.upload_round}",
        on_change=_read_upload,
    )
    if problem := st.session_state.get("resume_problem"):
        st.error(problem, icon=":material/error:")
    if words := st.session_state.get("resume_words"):
        st.success(f"We read {words:,} words. Check them below.", icon=":material/check_circle:")
    for warning in st.session_state.get("resume_warnings", ()):
        st.warning(warning, icon=":material/info:")


def _read_upload() -> None:
    """Read the file once, then let go of it: the uploader starts afresh and only the text stays."""
    upload = st.session_state.get(f"upload-{st.session_state.upload_round}")
    if upload is None:
        return
    st.session_state.upload_round += 1
    st.session_state.resume_problem = None
    st.session_state.resume_words = 0
    st.session_state.resume_warnings = ()
    try:
        read = read_resume(upload.name, upload.getvalue())
    except ResumeError as error:
        st.session_state.resume_problem = str(error)
        return
    st.session_state.resume = read.text
    st.session_state.resume_warnings = read.warnings
    st.session_state.resume_words = len(read.text.split())


def _start(engine: Engine, setup: Setup, offline: bool) -> None:
    try:
        token, _ = engine.start(setup, offline)
    except BadSetup as error:
        st.warning(str(error), icon=":material/edit:")
        return
    for shown in ("resume_problem", "resume_words", "resume_warnings"):
        st.session_state.pop(shown, None)
    st.query_params["interview"] = token
    st.rerun()


def _consent() -> None:
    app = current()
    days = app.settings.retention_days
    names = ", ".join(app.fleet.catalog[name].label for name in app.fleet.providers)
    read_by = (
        f"Your answers, never your resume, may be read by {names}; some of them may use what they read on a "
        "free tier to improve their products. "
        if names
        else ""
    )
    st.caption(
        f"{read_by}Interviews are kept for {days} days on this server, only for whoever has the link, and you can "
        "delete yours at any time."
    )
