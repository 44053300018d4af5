"""Five verbs for scripts and notebooks, over the same settings, ledger and cache as the running app.

Each raises what went wrong: BadSetting for a setting, AllRoutesOut when no provider can answer now, Refused when
none will take the request, StoreError when the ledger cannot be read. No apology ever poses as an answer.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.interview.model import Feedback

_QUESTION = re.compile(r"\A\s*question:", re.IGNORECASE)
_ANSWER = re.compile(r"^[ \t]*answer:", re.IGNORECASE | re.MULTILINE)


def generate_response(prompt: str) -> dict[str, Any]:
    """An interviewer's `reaction`, `follow_up_question`, `score` and `feedback` on one answer, by one call.

    Write the prompt as "Question: ..." and, on a line of its own, "Answer: ..."; text with neither is all answer.
    `score` is 0 to 10, computed from quotes that were found in the answer; no model gives it. `model` tells who
    was asked. `follow_up_question` is empty where the model had no good one. Raises NotSent too, for an answer
    that is missing, too short or too long to judge.
    """
    from core.app import current
    from core.interview import gate, rubric
    from core.interview.grader import Ruler
    from core.interview.model import Question, Turn

    question, answer = _asked_and_answered(prompt)
    turn = Turn(
        Question("script", "communication", "behavioural", question or "(not given)", (), {}, "", ""),
        answer=answer,
    )
    gate.check(answer, (turn,), 0)
    if gate.is_no_answer(answer):
        raise gate.NotSent("That says that there is no answer, so there is nothing to judge.")
    graded = current().grader.grade(turn, Ruler())
    feedback = graded.feedback[turn.question.id]
    scored = Turn(turn.question, "done", answer=turn.answer, feedback=feedback)
    return {
        "reaction": feedback.reaction,
        "follow_up_question": feedback.follow_up,
        "score": rubric.answer_score(scored),
        "feedback": _in_words(feedback),
        "model": graded.route,
    }


def generate_text_response(prompt: str, *, shareable: bool = False) -> str:
    """Plain text. With `shareable`, for a prompt that holds nothing about a person, a reply given to the same
    prompt within the hour serves again and costs nothing."""
    from core import tasks
    from core.app import current
    from core.balancer import Wanted
    from providers.contracts import ChatRequest, Message

    app = current()
    task = tasks.text(app.settings.answer_deadline, shareable=shareable)
    request = ChatRequest((Message("user", prompt),), timeout=task.deadline)
    return app.balancer.complete(Wanted(task, request, str)).value


def generate_resume_analysis(prompt: str) -> dict[str, Any]:
    """`skills`, `highlights` with quotes, `gaps` and likely `questions` for the resume in `prompt`, by one call.

    What the model claims but the resume does not say is left out. Raises BadResume too.
    """
    from core.app import current

    return asdict(current().reviewer.review(prompt))


def get_system_status() -> dict[str, Any]:
    """What GET /api/system_status tells: quotas, calls and interviews left, active providers, alerts."""
    from core.app import current

    return current().status.read().as_json()


def check_quota_alerts() -> list[dict[str, str]]:
    """The alerts that hold now: `level`, `provider`, `message`; empty when all is well."""
    alerts: list[dict[str, str]] = get_system_status()["alerts"]
    return alerts


def _asked_and_answered(prompt: str) -> tuple[str, str]:
    """The question and the answer, each empty where the prompt has none."""
    label = _ANSWER.search(prompt)
    if label:
        question, answer = prompt[: label.start()], prompt[label.end() :]
    else:
        question, answer = (prompt, "") if _QUESTION.match(prompt) else ("", prompt)
    return _QUESTION.sub("", question).strip(), answer.strip()


def _in_words(feedback: Feedback) -> str:
    from core.interview import rubric

    meanings = rubric.anchors("behavioural")
    shown = [meanings[met.anchor] for met in feedback.met]
    missing = rubric.first_missing(frozenset(met.anchor for met in feedback.met))
    lines = [f"Shown: {'; '.join(shown)}." if shown else "Nothing of what was looked for was found."]
    if missing:
        lines.append(f"Missing most: {meanings[missing]}.")
    lines += [mistake.fix for mistake in feedback.mistakes]
    return "\n".join([*lines, feedback.note] if feedback.note else lines)
