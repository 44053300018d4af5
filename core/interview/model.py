"""What an interview is made of. Frozen values; every change makes a new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from core.quotas import Envelope

Competency = Literal[
    "ownership",
    "problem_solving",
    "communication",
    "teamwork",
    "leadership",
    "adaptability",
    "role_knowledge",
    "motivation",
]
Kind = Literal["behavioural", "situational", "technical", "motivation"]
Level = Literal["junior", "mid", "senior"]
Style = Literal["mixed", "behavioural", "technical"]
Mode = Literal["full", "lean", "offline"]
MistakeCode = Literal[
    "off_topic",
    "vague",
    "no_own_role",
    "no_result",
    "no_numbers",
    "hypothetical",
    "rambling",
    "contradiction",
    "factual_error",
    "negative_talk",
    "missing_key_point",
    "unsupported_claim",
    "hedging",
    "filler",
]
TurnState = Literal["open", "grading", "waiting", "done", "skipped"]

COMPETENCIES: tuple[Competency, ...] = get_args(Competency)
FEWEST, MOST = 3, 12


@dataclass(frozen=True)
class Question:
    """`graded_as` is what a grader is told instead of `text` where that quotes the candidate's resume."""

    id: str
    competency: Competency
    kind: Kind
    text: str
    key_points: tuple[str, ...]
    probes: dict[str, str]
    hint: str
    outline: str
    levels: tuple[Level, ...] = ("junior", "mid", "senior")
    family: str = ""
    graded_as: str = ""


@dataclass(frozen=True)
class Setup:
    role: str
    level: Level
    style: Style
    questions: int
    resume: str = ""
    job: str = ""


@dataclass(frozen=True)
class Met:
    """An anchor that the grader saw, with the words of the answer that show it."""

    anchor: str
    quote: str


@dataclass(frozen=True)
class Mistake:
    """`found_by` "code" is a cue in the wording, which costs no anchor."""

    code: MistakeCode
    quote: str | None
    fix: str
    found_by: Literal["ai", "code"] = "ai"


@dataclass(frozen=True)
class Origin:
    """Where feedback comes from. `ai` has the model that graded and the rubric's version."""

    by: Literal["ai", "coach", "gate"]
    model: str = ""
    rubric: str = ""


@dataclass(frozen=True)
class Feedback:
    """What came back on one answer.

    `met` holds only anchors whose quote code found in the answer. `scored` is False where nobody scored the
    answer; then there is no number anywhere. `note` says what the candidate should know about this feedback, and
    `left_out` are the passages that read like instructions to the grader and were not assessed.
    """

    origin: Origin
    reaction: str
    follow_up: str
    scored: bool
    met: tuple[Met, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    note: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Try:
    """Another go at a question that was answered already. The first answer keeps the score."""

    answer: str
    at: float
    state: Literal["grading", "done"] = "grading"
    feedback: Feedback | None = None


@dataclass(frozen=True)
class Turn:
    """One question and what became of it. Times are seconds since the epoch.

    "waiting" is an answer that will be graded together with others. `second` is another grader's opinion, asked
    for by the candidate, and `self_met` the anchors that the candidate thinks are met; neither is ever scored.
    `booked` are the upstream calls that its grading may be making.
    """

    question: Question
    state: TurnState = "open"
    draft: str = ""
    answer: str = ""
    asked_at: float | None = None
    answered_at: float | None = None
    grading_since: float | None = None
    feedback: Feedback | None = None
    spoken: bool = False
    tries: tuple[Try, ...] = ()
    second: Feedback | None = None
    self_met: tuple[str, ...] | None = None
    booked: int = 0


@dataclass(frozen=True)
class Downgrade:
    """The mode had to change while the interview ran."""

    at: float
    to: Mode
    reason: str


@dataclass(frozen=True)
class Priority:
    anchor: str
    why: str
    drill: str


@dataclass(frozen=True)
class Outline:
    """How an answer could be built, with [your number] wherever the candidate has told none."""

    question: str
    text: str


@dataclass(frozen=True)
class Narrative:
    """The report in words, by `model`, with no number that neither the candidate said nor code computed."""

    summary: str
    strengths: tuple[str, ...]
    priorities: tuple[Priority, ...]
    outlines: tuple[Outline, ...]
    model: str


@dataclass(frozen=True)
class Interview:
    """`grader` is the route whose ruler this interview is measured with, once one has graded.

    `envelope` is the quota kept free for its calls, so that nobody else's interview can cut this one off. `cap` is
    how many upstream calls it may cost, `spent` and `tokens` what it has cost, and `on_request` the calls beyond
    the cap, which the candidate asked for one by one.
    """

    setup: Setup
    mode: Mode
    mode_reason: str
    turns: tuple[Turn, ...]
    created_at: float
    finished_at: float | None = None
    grader: str | None = None
    envelope: Envelope | None = None
    cap: int = 0
    spent: int = 0
    tokens: int = 0
    on_request: int = 0
    downgrades: tuple[Downgrade, ...] = ()
    narrative: Narrative | None = None

    @property
    def current(self) -> int | None:
        """Index of the first turn that still waits for something; None when the interview is over."""
        if self.finished_at is not None:
            return None
        waiting = (n for n, turn in enumerate(self.turns) if turn.state in ("open", "grading"))
        return next(waiting, None)
