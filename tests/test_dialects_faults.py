"""The fault matrix: whatever the wire does to a dialect, a typed error comes out in time, and nothing stays."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from providers.contracts import Inspection
from providers.errors import BadReply, Down, KeyRejected, Outcome, ProviderError
from tests.dialects import (
    CALLS,
    DISTINCT,
    ROWS,
    Line,
    Lines,
    Mode,
    assert_keeps_secrets,
    assert_sound,
    opened,
    timed,
)

Want = tuple[type[ProviderError], Outcome]
Call = tuple[str, Mode]

BROKEN: Want = (Down, "no_reply")
NONSENSE: Want = (BadReply, "answered")
MOVED: Want = (Down, "rejected")
FAULTS: dict[str, Want] = {
    "drop": BROKEN,
    "drop-mid": BROKEN,
    "stream-cut": BROKEN,
    "bad-chunk": BROKEN,
    "many-headers": BROKEN,
    "huge": BROKEN,
    "gzip-bomb": BROKEN,
    "short-length": NONSENSE,
    "garbage": NONSENSE,
    "deep": NONSENSE,
    "no-choices": NONSENSE,
    "swapped-types": NONSENSE,
    "duplicate-keys": NONSENSE,
    "numbers:NaN": NONSENSE,
    "numbers:-Infinity": NONSENSE,
    "numbers:1e999": NONSENSE,
    "numbers:digits": NONSENSE,
    "empty": NONSENSE,
    "length-empty": NONSENSE,
    "html": (Down, "answered"),
    "redirect:301": MOVED,
    "redirect:302": MOVED,
    "redirect:303": MOVED,
    "redirect:307": MOVED,
    "redirect:308": MOVED,
}
STREAMED: dict[str, Want] = {"short-length": BROKEN, "stream-no-end": BROKEN}
"""What a stream makes of the same fault, where that differs."""
SPOKEN = {"empty", "length-empty"}
HARMLESS = (
    "bom",
    "wrong-type",
    "truncated",
    "prose",
    "nan:NaN",
    "numbers:-5",
    "numbers:true",
    "numbers:99999999999",
)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    with opened(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.fixture
def line(lines: Lines, call: Call) -> Line:
    return lines[call]


def cases(faults: Any) -> list[Any]:
    """Each way to call with each fault. Of rows that differ in nothing but their data, a few are enough."""
    return [
        pytest.param(call, fault, id=f"{'-'.join(call)}-{fault}")
        for call in DISTINCT
        for fault in faults
        if call[1] != "speech" or fault not in SPOKEN
    ]


def wanted(line: Line, fault: str) -> Want:
    if line.mode == "stream" and line.name != "replicate":
        if (line.name, fault) == ("gemini", "duplicate-keys"):
            return BROKEN  # it has no end mark, so without a finish reason it has no end
        return STREAMED.get(fault, FAULTS.get(fault, BROKEN))
    return FAULTS[fault]


@pytest.mark.parametrize(("call", "fault"), cases(FAULTS))
def test_each_fault_becomes_a_typed_error(line: Line, fault: str) -> None:
    asked = len(line.seen())
    with line.bent(fault):
        error = line.fails()
    assert (type(error), error.outcome) == wanted(line, fault)
    assert len(line.seen()) == asked + 1, "one attempt, and nobody is followed anywhere"
    assert_sound(error.usage)


@pytest.mark.parametrize(("call", "fault"), cases(HARMLESS))
def test_what_is_odd_but_readable_is_an_answer(line: Line, fault: str) -> None:
    with line.bent(fault):
        pieces, reply = line.call()
    assert "".join(pieces) == reply.text != ""
    assert_sound(reply.usage)


@pytest.mark.parametrize("name", [name for name in ROWS if name != "replicate"])
def test_a_stream_without_an_end_is_not_an_answer(lines: Lines, name: str) -> None:
    line = lines[name, "stream"]
    with line.bent("stream-no-end"):
        error = line.fails()
    assert (type(error), error.outcome) == BROKEN


@pytest.mark.parametrize("name", [name for name in ROWS if name not in {"replicate", "cohere"}])
def test_an_error_in_the_middle_of_a_stream_comes_out_after_its_first_half(lines: Lines, name: str) -> None:
    line = lines[name, "stream"]
    with line.bent("stream-error"):
        pieces, error = line.breaks()
    assert pieces
    assert "Thank you, that is a clear answer.".startswith("".join(pieces))
    assert type(error) is Down
    assert error.outcome in ("answered", "server_error")


@pytest.mark.parametrize("call", DISTINCT, ids="-".join)
def test_a_kept_connection_that_was_reset_is_an_error_and_the_next_call_works(call: Call, tmp_path: Path) -> None:
    with opened(tmp_path, [call[0]]) as lines:
        line = lines[call]
        line.upstream.plan("reset-later")
        found = [timed(line.call)[0] for _ in range(2)]  # a prediction meets its own reset when it is asked after
        assert {(type(each), each.outcome) for each in found if isinstance(each, ProviderError)} <= {BROKEN}
        line.call()


@pytest.mark.parametrize("step", ["never", "stall", "drip", "slow:30"])
def test_what_hangs_ends_at_the_deadline(lines: Lines, step: str) -> None:
    """All of them at once, because they only wait. The one check of a clock: nobody is a second late."""
    timeout = 0.6
    with ExitStack() as stack:
        for name in ROWS:
            stack.enter_context(lines[name, "whole"].bent(step))
        with ThreadPoolExecutor(len(CALLS)) as pool:
            found = dict(
                zip(CALLS, pool.map(lambda call: timed(lambda: lines[call].fails(timeout)), CALLS), strict=True)
            )
    late = {call: seconds for call, (_, seconds) in found.items() if seconds > timeout + 1}
    assert not late
    assert {call: (type(error), error.outcome) for call, (error, _) in found.items()} == dict.fromkeys(
        CALLS, BROKEN
    )


LOOK_UP_FAULTS: dict[str, Want] = {
    "401": (KeyRejected, "unauthorised"),
    "500": (Down, "server_error"),
    "drop": BROKEN,
    "drop-mid": BROKEN,
    "gzip-bomb": BROKEN,
    "deep": NONSENSE,
    "garbage": NONSENSE,
    "html": (Down, "answered"),
    "redirect:307": MOVED,
}


@pytest.mark.parametrize("fault", LOOK_UP_FAULTS)
@pytest.mark.parametrize("name", ["groq", "together", "openrouter", "cloudflare", "gemini", "replicate"])
def test_looking_into_an_account_fails_as_anything_else(lines: Lines, name: str, fault: str) -> None:
    line = lines[name, "whole"]
    looked = len(line.upstream.lookups())
    with line.bent("ok", get=fault), pytest.raises(ProviderError) as caught:
        line.provider.inspect(5.0)
    assert_keeps_secrets(caught.value)
    assert (type(caught.value), caught.value.outcome) == LOOK_UP_FAULTS[fault]
    assert len(line.upstream.lookups()) == looked + 1


@pytest.mark.parametrize("fault", ["swapped-types", "no-choices", "duplicate-keys", "bom", "wrong-type"])
@pytest.mark.parametrize("name", ["groq", "together", "openrouter", "cloudflare", "gemini", "replicate"])
def test_an_account_that_says_nothing_readable_says_nothing(lines: Lines, name: str, fault: str) -> None:
    line = lines[name, "whole"]
    with line.bent("ok", get=fault):
        found = line.provider.inspect(5.0)
    assert isinstance(found, Inspection)
    assert found.models is None or fault in ("bom", "wrong-type")
