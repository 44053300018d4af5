"""The Replicate dialect: predictions that are asked after, grow, end badly, or are given up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import responses

from providers.contracts import ChatReply, ChatRequest, Message, Usage
from providers.errors import BadReply, Down, KeyRejected, Outcome, ProviderError, Refused
from providers.replicate import LOOKS
from tests.dialects import (
    Line,
    assert_keeps_secrets,
    dialled,
    drained,
    key_of,
    line_in,
    opened,
    quiet,
    request_of,
    timed,
)

SAID = "Thank you, that is a clear answer."
BASE = "https://api.replicate.com/v1"
ID = "abc123def456"


@pytest.fixture(params=["whole", "stream"])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    with opened(tmp_path, ["replicate"]) as lines:
        yield lines["replicate", request.param]


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[Line]:
    with opened(tmp_path, ["replicate"]) as lines:
        yield lines["replicate", "stream"]


def polls(line: Line) -> list[str]:
    return [call.method for call in line.upstream.lookups()]


def test_a_prediction_is_asked_after_until_it_is_done(line: Line) -> None:
    line.upstream.plan("slow-prediction:3")
    pieces, reply = line.call()
    assert "".join(pieces) == reply.text == SAID
    assert reply.usage == Usage(12, 9)
    assert polls(line) == ["GET"] * 3
    assert line.upstream.cancelled == []
    assert line.upstream.counts.charged == 1


def test_a_stream_gives_out_what_is_new_at_each_look(stream: Line) -> None:
    stream.upstream.plan("slow-prediction:3")
    pieces, _ = stream.call()
    assert len(pieces) >= 3


def test_only_a_whole_answer_is_waited_for_and_within_its_time(tmp_path: Path) -> None:
    with opened(tmp_path, ["replicate"]) as lines:
        lines["replicate", "stream"].call()
        for timeout in (0.4, 5.9, 90.0):
            lines["replicate", "whole"].call(timeout)
        waits = [sent.headers.get("prefer") for sent in lines["replicate", "whole"].seen()]
    assert waits == [None, "wait=1", "wait=5", "wait=60"]


def test_what_is_sent(stream: Line) -> None:
    said = (
        Message("system", "Be brief."),
        Message("user", "Hi"),
        Message("assistant", "Yes?"),
        Message("user", "Go"),
    )
    drained(stream.provider.stream(stream.route, ChatRequest(said, 40, 0.5), quiet))
    assert stream.seen()[-1].body == {
        "input": {
            "prompt": "user: Hi\n\nassistant: Yes?\n\nuser: Go",
            "system_prompt": "Be brief.",
            "temperature": 0.5,
            "max_tokens": 40,
        }
    }


ENDINGS: dict[str, tuple[type[ProviderError], Outcome]] = {
    "prediction-failed": (Down, "answered"),
    "prediction-canceled": (Down, "answered"),
    "prediction-aborted": (Down, "answered"),
    "prediction-failed:2": (Down, "answered"),
    "prediction-canceled:2": (Down, "answered"),
    "prediction-aborted:2": (Down, "answered"),
    "filtered": (Refused, "answered"),
}


@pytest.mark.parametrize("step", ENDINGS)
def test_a_prediction_that_ends_badly_is_an_error(line: Line, step: str) -> None:
    line.upstream.plan(step)
    error = line.fails()
    assert (type(error), error.outcome) == ENDINGS[step]
    assert line.upstream.cancelled == [], "it has ended already"


def test_the_addresses_in_an_answer_are_never_called(line: Line) -> None:
    """They lead to another name of the same server; whoever calls them sends the key there."""
    line.upstream.plan("foreign-urls")
    assert line.call()[1].text == SAID
    assert {call.headers["host"] for call in line.upstream.lookups()} == {
        line.upstream.url.removeprefix("http://")
    }


POLL_FAULTS: dict[str, tuple[type[ProviderError], Outcome]] = {
    "401": (KeyRejected, "unauthorised"),
    "500": (Down, "server_error"),
    "502": (Down, "server_error"),
    "error-in-200": (Down, "answered"),
    "drop": (Down, "no_reply"),
    "drop-mid": (Down, "no_reply"),
    "bad-chunk": (Down, "no_reply"),
    "many-headers": (Down, "no_reply"),
    "gzip-bomb": (Down, "no_reply"),
    "huge": (Down, "no_reply"),
    "garbage": (BadReply, "answered"),
    "deep": (BadReply, "answered"),
    "numbers:NaN": (BadReply, "answered"),
    "numbers:digits": (BadReply, "answered"),
    "html": (Down, "answered"),
    "no-choices": (Down, "answered"),
    "swapped-types": (Down, "answered"),
    "duplicate-keys": (Down, "answered"),
    "redirect:302": (Down, "rejected"),
    "redirect:308": (Down, "rejected"),
}


@pytest.mark.parametrize("fault", POLL_FAULTS)
def test_each_fault_of_a_look_is_an_error_and_the_prediction_is_not_left_running(line: Line, fault: str) -> None:
    line.upstream.plan("slow-prediction:9")
    line.upstream.plan_get("ok", *[fault] * LOOKS)
    error = line.fails()
    assert (type(error), error.outcome) == POLL_FAULTS[fault]
    assert polls(line)[:2] == ["GET", "GET"]
    left = {"no-choices", "swapped-types", "duplicate-keys"}
    assert len(line.upstream.cancelled) == (0 if fault in left else 1)


@pytest.mark.parametrize("fault", ["500", "drop", "html", "gzip-bomb"])
def test_a_look_that_fails_is_tried_again_because_the_prediction_is_paid_for(line: Line, fault: str) -> None:
    line.upstream.plan("slow-prediction:2")
    line.upstream.plan_get(*[fault] * (LOOKS - 1))
    assert line.call()[1].text == SAID
    assert not line.upstream.cancelled


@pytest.mark.parametrize("fault", ["bom", "wrong-type"])
def test_a_look_that_is_odd_but_readable_is_taken(line: Line, fault: str) -> None:
    line.upstream.plan("slow-prediction:2")
    line.upstream.always_get(fault)
    assert line.call()[1].text == SAID


@pytest.mark.parametrize("get", ["ok", "never", "drip", "stall"])
def test_at_the_deadline_the_prediction_is_cancelled(line: Line, get: str) -> None:
    line.upstream.plan("slow-prediction:9999")
    line.upstream.always_get(get)
    error, seconds = timed(lambda: line.fails(0.4))
    assert (type(error), error.outcome) == (Down, "no_reply")
    assert seconds < 1.4
    assert len(line.upstream.cancelled) == 1


@pytest.mark.parametrize("fault", ["never", "500", "html", "redirect"])
def test_a_cancellation_that_hangs_or_fails_changes_nothing(stream: Line, fault: str) -> None:
    stream.upstream.plan("slow-prediction:9999")
    stream.upstream.plan_get("ok", *["500"] * LOOKS)
    stream.upstream.plan_cancel(fault)
    error, seconds = timed(lambda: stream.fails(2.0))
    assert (type(error), error.outcome) == (Down, "server_error")
    assert seconds < 3.0
    assert polls(stream)[-1] == "POST"


def test_a_stream_that_is_left_cancels_its_prediction(stream: Line) -> None:
    stream.upstream.plan("slow-prediction:9")
    pieces = stream.provider.stream(stream.route, request_of(), quiet)
    assert next(pieces)
    pieces.close()
    assert len(stream.upstream.cancelled) == 1
    assert polls(stream)[-1] == "POST"


class Enough(Exception):
    """What a pulse of ours raises."""


@pytest.mark.parametrize("beats", [0, 1, 4])
def test_a_pulse_that_raises_cancels_the_prediction(stream: Line, beats: int) -> None:
    left = iter(range(beats))

    def pulse() -> None:
        if next(left, None) is None:
            raise Enough

    stream.upstream.plan("slow-prediction:9999")
    with pytest.raises(Enough) as caught:
        stream.call(pulse=pulse)
    assert_keeps_secrets(caught.value)
    assert len(stream.upstream.cancelled) == 1


def test_a_pulse_is_felt_while_a_look_hangs(stream: Line) -> None:
    stream.upstream.plan("slow-prediction:9999")
    stream.upstream.plan_get("ok", "never")
    beats = iter(range(4))

    def pulse() -> None:
        if next(beats, None) is None:
            raise Enough

    with pytest.raises(Enough):
        stream.call(pulse=pulse)
    assert len(stream.upstream.cancelled) == 1


def state(**more: Any) -> str:
    body = {"id": ID, "model": "meta/other", "status": "succeeded", "output": ["He", "llo"], "error": None, **more}
    return json.dumps(body)


@pytest.fixture
def answered(tmp_path: Path) -> Iterator[tuple[Line, responses.RequestsMock]]:
    """The provider at its own address, which is answered for without a wire."""
    with dialled(tmp_path, {}, REPLICATE_API_TOKEN=key_of("replicate"), ALLOW_PAID="replicate") as fleet:
        line = line_in(fleet, ("replicate", "whole"))
        with responses.RequestsMock() as mock:
            yield line, mock


URL = f"{BASE}/models/meta/meta-llama-3-8b-instruct/predictions"
METRICS: dict[str, tuple[dict[str, Any], Usage | None]] = {
    "own": ({"input_token_count": 11, "output_token_count": 5}, Usage(11, 5)),
    "passed on": ({"token_input_count": 11, "token_output_count": 5}, Usage(11, 5)),
    "half": ({"input_token_count": 11}, None),
    "none": ({}, None),
    "odd": ({"input_token_count": True, "output_token_count": "5"}, None),
    "negative": ({"input_token_count": -1, "output_token_count": 5}, None),
}


@pytest.mark.parametrize("metrics", METRICS)
def test_tokens_are_counted_under_either_name(answered: tuple[Line, Any], metrics: str) -> None:
    line, mock = answered
    mock.post(URL, body=state(metrics=METRICS[metrics][0]), status=201)
    assert line.call()[1] == ChatReply("Hello", "meta/other", METRICS[metrics][1], "stop")


def test_an_answer_as_long_as_it_may_be_was_cut(answered: tuple[Line, Any]) -> None:
    line, mock = answered
    mock.post(URL, body=state(metrics={"input_token_count": 1, "output_token_count": 700}), status=201)
    assert line.call()[1].finish_reason == "length"


@pytest.mark.parametrize("output", ["Hello", ["Hello"], ["He", None, 7, "llo"], ["<think>hm</think>", "Hello"]])
def test_output_may_be_text_or_a_list(answered: tuple[Line, Any], output: Any) -> None:
    line, mock = answered
    mock.post(URL, body=state(output=output), status=201)
    assert line.call()[1].text == "Hello"


@pytest.mark.parametrize("name", [None, 7, "", "../../account", "a/b", "x" * 65, "абвгд", "a?b=c", "abc1\n"])
def test_an_id_that_is_none_is_not_asked_after(answered: tuple[Line, Any], name: Any) -> None:
    line, mock = answered
    mock.post(URL, body=state(id=name, status="processing"), status=201)
    error = line.fails()
    assert (type(error), error.outcome) == (BadReply, "answered")
    assert len(mock.calls) == 1


def test_output_that_is_begun_anew_counts_as_a_whole(answered: tuple[Line, Any]) -> None:
    line, mock = answered
    mock.post(URL, body=state(output=["Hel"], status="processing"), status=201)
    mock.get(f"{BASE}/predictions/{ID}", body=state(output=["Good", "bye"]))
    assert replace(line, mode="stream").call()[1].text == "Goodbye"
