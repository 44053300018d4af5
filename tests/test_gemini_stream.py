"""Streams of the Gemini dialect: keys that never swap, calls that never mix, and what each part adds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from providers.contracts import Usage
from providers.errors import Down, Refused
from tests.dialects import Lines, dialled, drained, key_of, line_in, opened, quiet, request_of
from tests.fakes.exchange import Exchange
from tests.fakes.upstream import FakeUpstream


def echo(exchange: Exchange) -> str:
    """The key that was sent, often enough to come in many pieces, and which schema was asked for."""
    config = exchange.body["generationConfig"]
    return f"{exchange.headers['x-goog-api-key']} {config.get('responseJsonSchema', {}).get('title', '')} " * 4


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    with opened(tmp_path_factory.mktemp("gemini"), ["gemini"], thinking_tokens=30) as running:
        yield running


def test_two_keys_streamed_from_16_threads_never_swap(tmp_path: Path) -> None:
    with FakeUpstream("gemini", reply=echo) as fake:
        urls = {"gemini": fake.base_url}
        keys = {name: f"canary-key-{name}" for name in ("left", "right")}
        with (
            dialled(tmp_path, urls, GEMINI_API_KEY=keys["left"]) as left,
            dialled(tmp_path, urls, GEMINI_API_KEY=keys["right"]) as right,
        ):
            made = {"left": line_in(left, ("gemini", "stream")), "right": line_in(right, ("gemini", "stream"))}

            def ask(number: int) -> bool:
                name, title = ("left", "right")[number % 2], f"schema-{number}"
                line, request = made[name], request_of(schema={"title": title})
                if number % 3 == 0:
                    said = line.provider.complete(line.route, request).text
                else:
                    _, reply = drained(line.provider.stream(line.route, request, quiet))
                    said = reply.text
                return bool(said.strip() == (f"{keys[name]} {title} " * 4).strip())

            switch = sys.getswitchinterval()
            sys.setswitchinterval(1e-6)
            try:
                with ThreadPoolExecutor(16) as pool:
                    right_ones = list(pool.map(ask, range(160)))
            finally:
                sys.setswitchinterval(switch)
    assert all(right_ones)
    assert len(right_ones) == len(fake.requests()) == 160


def test_streams_that_are_open_at_once_do_not_mix(lines: Lines) -> None:
    line = lines["gemini", "stream"]
    both = [line.provider.stream(line.route, request_of(), quiet) for _ in range(2)]
    first = [next(each) for each in both]
    rest = [drained(each) for each in both]
    whole = ["".join((begun, *pieces)) for begun, (pieces, _) in zip(first, rest, strict=True)]
    assert whole == ["Thank you, that is a clear answer."] * 2
    assert {reply.text for _, reply in rest} == set(whole)


def test_thinking_is_counted_at_the_end_of_a_stream(lines: Lines) -> None:
    _, reply = lines["gemini", "stream"].call()
    assert reply.usage == Usage(12, 9 + 30)


def test_a_stream_is_asked_for_event_by_event_and_the_key_is_not_in_its_address(lines: Lines) -> None:
    line = lines["gemini", "stream"]
    line.call()
    sent = line.seen()[-1]
    assert sent.path.endswith(":streamGenerateContent")
    assert sent.query == "alt=sse"
    assert sent.headers["x-goog-api-key"] == key_of("gemini")


@pytest.mark.parametrize("mode", ["whole", "stream"])
def test_a_filtered_answer_says_what_it_cost(lines: Lines, mode: str) -> None:
    line = lines["gemini", mode]  # type: ignore[index]
    with line.bent("filtered"):
        error = line.fails()
    assert isinstance(error, Refused)
    assert error.usage is not None
    assert error.usage.prompt_tokens == 12


def test_a_stream_can_be_cut_off_by_the_token_limit(lines: Lines) -> None:
    with lines["gemini", "stream"].bent("truncated"):
        _, reply = lines["gemini", "stream"].call()
    assert (reply.text, reply.finish_reason) == ("Thank you, that i", "length")


def test_what_came_before_an_error_was_given_out(lines: Lines) -> None:
    line = lines["gemini", "stream"]
    for step in ("stream-error", "stream-cut", "stream-no-end"):
        with line.bent(step):
            pieces, error = line.breaks()
        assert "".join(pieces).startswith("Thank you")
        assert type(error) is Down
