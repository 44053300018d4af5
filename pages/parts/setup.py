"""The first screen: one short form with good defaults, a resume and a job description if wanted."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.app import current
from core.interview.engine import BadSetup, Engine
from core.interview.model import FEWEST, MOST, Level, Setup, Style
from core.interview.questions import family_of
from core.interview.resume_analyzer import HIDDEN, INSTRUCTIONS, ResumeError, read_resume, usable
from pages.parts.past_keeper import kept, remember
from pages.parts.resume_check import Texts, note_left_out, readers, show_check
from pages.parts.setup_keeper import keep_setup

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
UPLOADED = ("resume_problem", "resume_words", "resume_warnings", "resume_left_out", "resume_instructions")


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
    note = st.container()  # always there: what came and went above the expander would close it
    if style != "behavioural" and role and family_of(role) is None and (style, role) != ("mixed", ANY_ROLE):
        note.caption("Our bank has no questions on the craft of this role, so most will be general ones.")
    questions = st.slider("Number of questions", FEWEST, MOST, DEFAULT_QUESTIONS, key="questions")

    texts = _texts()
    started = st.container(horizontal=True, vertical_alignment="center")
    start = started.button("Start", type="primary", icon=":material/play_arrow:", key="start")
    offline = scored and started.button("Practise offline", type="tertiary", key="start-offline")
    keep_setup(("resume", "job"))
    if start or offline:
        setup = Setup(role or "", level, style, questions, texts.resume.text, texts.job.text)
        _start(engine, setup, texts, offline)
    _consent()


def _texts() -> Texts:
    """The resume and the job description as they were read or pasted, open to correction."""
    with st.expander("Add your resume or the job description", icon=":material/description:"):
        _resume_upload()
        resume = st.text_area(
            "Your resume, as we read it. Correct it here, or paste it.", key="resume", height=180
        )
        job = st.text_area("The job description, if you have one", key="job", height=140)
        texts = Texts(usable(resume), usable(job), kept().candidate)
        show_check(
            texts,
            st.session_state.get("resume_left_out", ()),
            st.session_state.get("resume_instructions", ()),
        )
        if resume or st.session_state.get("resume_problem"):
            st.button(
                "Continue without a resume",
                type="tertiary",
                icon=":material/close:",
                key="without",
                on_click=_clear,
            )
    return texts


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
    upload = st.file_uploader(
        "Upload a PDF, DOCX or TXT, at most 5 MB",
        type=["pdf", "docx", "txt"],
        key=f"upload-{st.session_state.upload_round}",
    )
    if upload is not None:
        with st.spinner("Reading your file…"):
            _read(upload)
        st.rerun()
    if problem := st.session_state.get("resume_problem"):
        st.error(problem, icon=":material/error:")
    if words := st.session_state.get("resume_words"):
        st.success(f"We read {words:,} words. Check them below.", icon=":material/check_circle:")
    shown_below = (HIDDEN, INSTRUCTIONS)
    for warning in (w for w in st.session_state.get("resume_warnings", ()) if w not in shown_below):
        st.warning(warning, icon=":material/info:")


def _read(upload: UploadedFile) -> None:
    """Read the file once, then let go of it: the uploader starts afresh and only the text stays.

    Whoever types elsewhere meanwhile ends this run at any line that touches the state. The uploader starts afresh
    last of all, so that the next run finds the file and reads it again.
    """
    told: dict[str, object]
    try:
        read = read_resume(upload.name, upload.getvalue())
    except ResumeError as error:
        told = {"resume_problem": str(error)}
    else:
        told = {
            "resume": read.text,
            "resume_words": len(read.text.split()),
            "resume_warnings": read.warnings,
            "resume_left_out": read.left_out,
            "resume_instructions": read.instructions,
        }
    _forget_upload()
    for name, value in told.items():
        st.session_state[name] = value
    st.session_state.upload_round += 1
    _let_go(upload.file_id)


def _let_go(file_id: str) -> None:
    """The server would keep the file in memory until the person leaves."""
    context = get_script_run_ctx()
    if context and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file_id)


def _clear() -> None:
    st.session_state.resume = ""
    st.session_state.pop("resume_review", None)
    _forget_upload()


def _forget_upload() -> None:
    for shown in UPLOADED:
        st.session_state.pop(shown, None)


def _start(engine: Engine, setup: Setup, texts: Texts, offline: bool) -> None:
    try:
        with st.spinner("Choosing your questions…"):
            token, _ = engine.start(setup, offline, current().shelf.seen(kept().tokens))
    except BadSetup as error:
        st.warning(str(error), icon=":material/edit:")
        return
    note_left_out(texts)
    _forget_upload()
    remember(token)
    st.query_params["interview"] = token
    st.rerun()


def _consent() -> None:
    app = current()
    days = app.settings.retention_days
    names = readers()
    read_by = (
        f"Your answers, and what questions are made from (the role, words of the job description, lines of your "
        f"resume), may be read by {names}; some of them may use what they read on a free tier to improve their "
        "products. The whole resume is sent only if you ask for it. "
        if names
        else ""
    )
    st.caption(
        f"{read_by}Interviews are kept for {days} days on this server, only for whoever has the link, and you can "
        "delete yours at any time."
    )
