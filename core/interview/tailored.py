"""Questions made for one candidate or one field. Only the question itself is new; all that grades it is ours."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from core.interview.model import Competency, Kind, Question

RESUME_ASKED = "Walk me through it: what was the situation, and what did you do?"
_RESUME = "Your resume says: “{line}”. {asked}"
_RESUME_GRADED = "About one item of the resume: {asked}"


@dataclass(frozen=True)
class Frame:
    """What stands around a question of a kind, whatever it asks."""

    key_points: tuple[str, ...]
    probes: Mapping[str, str]
    hint: str
    outline: str


FRAMES: Mapping[Kind, Frame] = {
    "behavioural": Frame(
        ("The situation and why it mattered", "Your own part and choices", "What changed, in numbers"),
        {
            "E4": "How do you know it worked: what changed, and by how much?",
            "E2": "Which part of it was yours rather than the team's?",
            "S4": "How did it end, and what is left of it today?",
            "D2": "Why did you do it that way, and what else did you consider?",
            "D3": "What was the hardest moment in it?",
        },
        "Take the reader from why it was needed to what is different now.",
        "Name the situation in a sentence, your own task, the two or three things you did and why, and what "
        "changed: [your number] before and after. Close with what you would keep or do differently.",
    ),
    "situational": Frame(
        (
            "What you would find out first, and from whom",
            "The order of your steps, with the reason for it",
            "The people concerned and what you would tell them",
            "What could go wrong and how you would notice",
        ),
        {
            "E4": "By what would you know that your plan is working?",
            "E2": "When have you yourself been in something like this?",
            "S4": "How would you sum up your plan in one sentence?",
            "D2": "Why would you begin there and not elsewhere?",
            "D3": "What is the most likely thing to go wrong, and what then?",
        },
        "Say first what matters most, then what you would do and in which order.",
        "Open with your position and what you would check first. Give your steps in order, each with its reason, "
        "and one case from your own work that it reminds you of. Name the risk and the sign you would watch, such "
        "as [your number]. Close with the trade-off you accept.",
    ),
    "technical": Frame(
        (
            "The core idea or your position, said first",
            "How or why it works, step by step",
            "A concrete case from practice",
            "A limit, a cost or an exception",
            "An alternative, compared",
        ),
        {
            "E4": "Which figure or check would show that you are right?",
            "E2": "Where have you done this yourself, and what was your part?",
            "S4": "How would you sum that up for a new colleague?",
            "D2": "Why does it work that way?",
            "D3": "Where does this reach its limits?",
        },
        "Begin with the point, then the reasons, then one real case.",
        "State your position in a sentence. Explain how or why it works in a few steps, and give one case you "
        "know, with [your number] if you have it. Say where it fails or what it costs, and what you would compare "
        "it with. Close with the trade-off.",
    ),
    "motivation": Frame(
        (
            "What draws you to it, as a concrete reason",
            "Something you have done that shows it",
            "What you bring and what you want to learn",
        ),
        {
            "E4": "What have you done about it so far that somebody could check?",
            "E2": "Which part of that was your own choice?",
            "S4": "If you had one sentence for it, what would it be?",
            "D2": "Why this rather than something close to it?",
            "D3": "What about it would be hard for you?",
        },
        "A reason that only you could give is worth more than three that fit everyone.",
        "Name one honest reason and what you have done that shows it, with [your number] if there is one. Link it "
        "to this role: what you bring, what you want to learn. Close with why now.",
    ),
}


def about_resume(line: str, asked: str = RESUME_ASKED, graded: str = RESUME_ASKED) -> Question:
    """A question on a line of the resume, which stands in it word for word.

    A grader is told `graded`, which may hold nothing of the resume.
    """
    text = _RESUME.format(line=line, asked=asked)
    return _framed(text, "behavioural", "ownership", graded_as=_RESUME_GRADED.format(asked=graded))


def about_work(text: str, kind: Kind, competency: Competency) -> Question:
    """A question on the job or the field, with nothing of a resume in it."""
    return _framed(text, kind, competency)


def _framed(text: str, kind: Kind, competency: Competency, graded_as: str = "") -> Question:
    frame = FRAMES[kind]
    return Question(
        id=f"t-{hashlib.sha256(text.encode()).hexdigest()[:8]}",
        competency=competency,
        kind=kind,
        text=text,
        key_points=frame.key_points,
        probes=dict(frame.probes),
        hint=frame.hint,
        outline=frame.outline,
        graded_as=graded_as,
    )
