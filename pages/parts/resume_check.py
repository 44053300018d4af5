"""What we found in the resume and the job description, what we left out, and an AI's view for whoever asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from core.app import current
from core.balancer import AllRoutesOut
from core.interview.report import escape, label
from core.interview.resume_analyzer import ResumeText, facts
from core.interview.resume_facts import keyword_coverage
from core.interview.resume_review import BadResume
from core.interview.review_store import ResumeReview
from providers.errors import Refused

OUT = "No AI can be asked right now; nothing was sent that you have to wait for. You can start without it."
REFUSED = "The AI would not read this text. You can start without it."
MOST_SHOWN = 12
MOST_QUOTED = 2


@dataclass(frozen=True)
class Texts:
    """What stands in the two boxes, made usable. `candidate` is the browser's name for its user, or ""."""

    resume: ResumeText
    job: ResumeText
    candidate: str = ""


def show_check(texts: Texts, hidden: Sequence[str], instructions: Sequence[str]) -> None:
    """`hidden` and `instructions` are what was left out of the uploaded file."""
    told = dict.fromkeys((*instructions, *texts.resume.instructions, *texts.job.instructions))
    _left_out("Left out, because people cannot see it in the file:", hidden)
    _left_out("Left out, because it is addressed to an AI and not to a reader:", list(told))
    if texts.resume.text:
        _facts(texts.resume.text)
        if texts.job.text:
            _coverage(texts.resume.text, texts.job.text)
        _review(texts)


def note_left_out(texts: Texts) -> None:
    """Have the next page say so: the words may have been typed just before, and nothing is left out in silence."""
    st.session_state.left_out = (*texts.resume.instructions, *texts.job.instructions)


def show_left_out() -> None:
    """Once, on the page that follows the setup."""
    for piece in st.session_state.pop("left_out", ())[:MOST_QUOTED]:
        st.toast(
            f"Left out, because it is addressed to an AI: “{escape(_short(piece))}”",
            icon=":material/visibility_off:",
            duration="long",
        )


def readers() -> str:
    """The providers that may read what is sent; empty where none is set up."""
    fleet = current().fleet
    return ", ".join(fleet.catalog[name].label for name in fleet.providers)


def _left_out(reason: str, pieces: Sequence[str]) -> None:
    if not pieces:
        return
    with st.container(border=True, gap="xxsmall"):
        st.caption(f":material/visibility_off: {reason}")
        for piece in pieces[:MOST_SHOWN]:
            st.text(_short(piece))


def _facts(resume: str) -> None:
    found = facts(resume)
    with st.container(gap="xxsmall"):
        st.markdown("**What we found in your resume**")
        _row("Sections", [label(name) for name in found.sections])
        _row("Dates", found.dates)
        _row("Skills", found.skills)
        _row("You may be asked about", [f"“{line}”" for line in found.highlights[:MOST_QUOTED]])
        st.caption("Found by wording alone. Correct the text above if something is missing.")


def _coverage(resume: str, job: str) -> None:
    covered = keyword_coverage(resume, job)
    if not covered:
        return
    with st.container(gap="xxsmall"):
        st.markdown("**Words of the job description**")
        _row("In your resume", [term for term, is_named in covered.items() if is_named])
        _row("Not in it", [term for term, is_named in covered.items() if not is_named])


def _row(name: str, values: Sequence[str]) -> None:
    listed = " · ".join(escape(value) for value in values)
    st.markdown(f":gray[{name}:] {listed or 'none'}")


def _review(texts: Texts) -> None:
    """One call, only when asked for, and never for the same words twice."""
    app, wanted = current(), (texts.resume.text, texts.job.text)
    kept = st.session_state.get("resume_review")
    review = kept[1] if kept and kept[0] == wanted else app.reviewer.kept_for(texts.candidate, *wanted)
    if review:
        _show_review(review, bool(texts.job.text))
        return
    names = readers()
    if not names:
        return
    against = " against the job description" if texts.job.text else ""
    asked = st.button(
        f"Ask an AI for strengths and gaps{against} (1 call)", icon=":material/psychology:", key="review"
    )
    st.caption(
        f"Optional. It sends the text above to one of {names}, which may use what it reads on a free tier to "
        "improve its products."
    )
    if asked and (made := _asked(texts)):
        st.session_state.resume_review = (wanted, made)
        st.rerun()


def _asked(texts: Texts) -> ResumeReview | None:
    try:
        with st.spinner("Reading your resume…", show_time=True):
            return current().reviewer.review_for(texts.candidate, texts.resume.text, texts.job.text)
    except BadResume as reason:
        st.warning(str(reason), icon=":material/edit:")
    except AllRoutesOut:
        st.warning(OUT, icon=":material/cloud_off:")
    except Refused:
        st.warning(REFUSED, icon=":material/block:")
    return None


def _show_review(review: ResumeReview, has_job: bool) -> None:
    st.markdown("**What an AI makes of it**")
    _listed(
        "Strengths to bring up",
        (
            f"“{escape(each.quote)}” {escape(each.why)}" + (f" :gray[({escape(each.job)})]" if each.job else "")
            for each in review.highlights
        ),
    )
    _listed("Gaps against the job description" if has_job else "Gaps", map(escape, review.gaps))
    _listed("You may be asked", map(escape, review.questions))
    st.caption(
        f"Written by {escape(review.model)}. The quotes stand in your resume; check the rest before you use it."
    )


def _listed(name: str, lines: Iterable[str]) -> None:
    shown = [f"- {' '.join(line.split())}" for line in lines]
    if shown:
        st.markdown("\n".join([f":gray[{name}]", "", *shown[:MOST_SHOWN]]))


def _short(piece: str) -> str:
    flat = " ".join(piece.split())
    return flat if len(flat) <= 200 else f"{flat[:199]}…"
