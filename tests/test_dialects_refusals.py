"""What the refusals of every provider mean in each dialect, on a real wire: by what to do next, and until when."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.errors import (
    BadReply,
    Busy,
    Down,
    KeyRejected,
    ModelGone,
    Outcome,
    PaymentNeeded,
    ProviderError,
    Refused,
)
from tests.dialects import CALLS, DISTINCT, Line, Lines, Mode, opened
from tests.fakes.asking import NOON


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    with opened(tmp_path_factory.mktemp("refusals")) as running:
        yield running


@pytest.fixture
def line(lines: Lines, call: tuple[str, Mode]) -> Line:
    return lines[call]


ASKED = [call for call in CALLS if call[1] != "stream" or call in DISTINCT]
"""Each provider has words of its own; how a stream is refused, the dialect decides."""


def per_call(*calls: tuple[str, Mode]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("call", calls, ids="-".join)


Want = tuple[type[ProviderError], Outcome]
KEY: Want = (KeyRejected, "unauthorised")
GONE: Want = (ModelGone, "rejected")
FAILED: Want = (Down, "server_error")
BAD: Want = (BadReply, "rejected")
REFUSED: Want = (Refused, "rejected")
USUALLY: dict[str, Want] = {
    "401": KEY,
    "402": (PaymentNeeded, "rejected"),
    "404": GONE,
    "400": BAD,
    "403": KEY,
    "408": FAILED,
    "413": REFUSED,
    "422": BAD,
    "500": FAILED,
    "502": FAILED,
    "503": FAILED,
    "504": FAILED,
    "529": FAILED,
    "degraded": FAILED,
    "filtered": (Refused, "answered"),
    "error-in-200": (Down, "answered"),
}
UNUSUALLY: dict[tuple[str, str], Want] = {
    ("cloudflare", "402"): GONE,  # the model is not on the free plan; others are
    ("mistral", "403"): GONE,
    ("nvidia", "degraded"): (Down, "rejected"),
    **{(name, "filtered"): REFUSED for name in ("deepseek", "groq", "openrouter")},
    **{(name, "error-in-200"): FAILED for name in ("cerebras", "openrouter", "gemini")},
}
REFUSALS = [
    pytest.param(call, step, id=f"{'-'.join(call)}-{step}")
    for call in ASKED
    for step in USUALLY
    if (step, call[1]) != ("filtered", "speech")
]


@pytest.mark.parametrize(("call", "step"), REFUSALS)
def test_each_refusal_is_named_by_what_to_do_next(line: Line, step: str) -> None:
    asked = len(line.seen())
    with line.bent(step):
        error = line.fails()
    assert (type(error), error.outcome) == UNUSUALLY.get((line.name, step), USUALLY[step])
    assert line.route.name in str(error)
    assert len(line.seen()) == asked + 1, "exactly one attempt"


MINUTE, DAY = 60, 43_200  # seconds from noon
SILENT = {"gemini", "cloudflare", "deepseek", "huggingface"}  # they say nothing of when that can be believed
UNTOLD = {"mistral", "replicate"}  # one wording for every limit


@per_call(*ASKED)
def test_a_spent_minute(line: Line) -> None:
    with line.bent("429-minute"):
        error = line.fails()
    assert isinstance(error, Busy)
    assert error.outcome == "rate_limited"
    untold = line.name in UNTOLD
    assert (error.scope, error.period) == (("route", None) if untold else ("pool", "minute"))
    silent = line.name in SILENT - {"gemini"}
    assert error.until == (None if silent else NOON + MINUTE)


@per_call(*ASKED)
def test_a_spent_day_is_never_over_in_seconds(line: Line) -> None:
    with line.bent("429-day"):
        error = line.fails()
    assert isinstance(error, Busy)
    assert error.outcome == "rate_limited"
    untold = line.name in UNTOLD
    scope = "provider" if line.name == "cloudflare" else "pool"
    period = "month" if line.name == "cohere" else "day"
    assert (error.scope, error.period) == (("route", None) if untold else (scope, period))
    assert error.until == (None if line.name in SILENT else NOON + DAY)


@pytest.mark.parametrize(
    ("wait", "until"),
    [
        ("none", None),
        ("7", NOON + 7),
        ("-5", None),
        ("NaN", None),
        ("inf", None),
        ("1e20", None),
        ("Mon, 23 Nov 2026 12:00:30 GMT", NOON + 30),
        ("soon", None),
    ],
)
@per_call(*(call for call in ASKED if call[0] in {"groq", "openrouter", "gemini"}))
def test_only_a_believable_wait_is_believed(line: Line, wait: str, until: float | None) -> None:
    with line.bent(f"429:{wait}"):
        error = line.fails()
    assert isinstance(error, Busy)
    assert (error.until, error.period, error.confidence) == (until, None, "guess")
