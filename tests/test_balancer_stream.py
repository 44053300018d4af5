"""Streams through the balancer: who is asked, what is heard, and what it costs when somebody leaves."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.balancer import AllRoutesOut, Answer, Interrupted, Wanted
from core.quotas import estimate
from providers.errors import BadReply, Refused
from tests.fakes import wire_openai
from tests.fakes.answer import Answer as Wire
from tests.fakes.answer import Completion
from tests.fakes.house import REQUEST, TASK, House, limits, row
from tests.fakes.server import LoopbackServer
from tests.fakes.upstream import FakeUpstream
from tests.scene import Scene, heard

TEXT = "Thank you, that is a clear answer."
LIMITS = limits(requests_day=50, tokens_day=9000, concurrent_call=1)
BOTH = row("first", 1, more=LIMITS) + row("second", 2, more=LIMITS)
FIRST, TOKENS = "first|requests|day", "first|tokens|day"
SHORT = replace(TASK, deadline=1.0)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path, stack)


@pytest.fixture
def first(scene: Scene) -> FakeUpstream:
    return scene.fake("first")


@pytest.fixture
def second(scene: Scene) -> FakeUpstream:
    return scene.fake("second")


@pytest.fixture
def house(scene: Scene, first: FakeUpstream, second: FakeUpstream) -> House:
    return scene.house(BOTH)


def stream(house: House, **more: object) -> Generator[str, None, Answer[str]]:
    wanted = {"task": TASK, "request": REQUEST, "read": str, "pulse": lambda: None} | more
    pulse = wanted.pop("pulse")
    return house.balancer.stream(Wanted(**wanted), pulse)  # type: ignore[arg-type]


def provider(answer: Answer[str]) -> str:
    return answer.route.partition("/")[0]


def held(house: House) -> float:
    """What calls under way hold of all limits of the first provider."""
    (route,) = (r for r in house.fleet.routes if r.provider == "first")
    return sum(s.held for s in house.quota.standings(route.limits))


# What is heard


def test_pieces_arrive_as_sent_and_the_checked_whole_comes_last(house: House) -> None:
    pieces, answer = heard(stream(house, read=str.upper))
    assert pieces == ["Thank you, t", "hat is a cle", "ar answer."]
    assert (answer.value, answer.route, answer.failed, answer.cached) == (TEXT.upper(), "first/m", (), False)


def test_a_piece_is_given_out_before_the_next_one_exists(house: House, first: FakeUpstream) -> None:
    first.plan("stall:1")
    running = stream(house)
    assert next(running) == "Thank you, t"
    running.close()


def test_the_usage_of_the_last_chunk_is_what_is_charged(scene: Scene) -> None:
    fake = scene.fake("first", thinking_tokens=31)
    house = scene.house(row("first", 1, more=LIMITS))
    heard(stream(house))
    assert (house.used(FIRST), house.used(TOKENS)) == (1, fake.counts.tokens)
    assert fake.counts.tokens > 31
    assert held(house) == 0


def test_without_usage_in_the_stream_all_that_was_held_is_charged(scene: Scene) -> None:
    fake = scene.fake("first")
    house = scene.house(row("first", 1, more=f"{LIMITS}\nstream_usage = false"))
    heard(stream(house))
    expected = estimate(house.fleet.routes[0], REQUEST)
    assert house.used(TOKENS) == expected.tokens > fake.counts.tokens


@pytest.mark.parametrize(("profile", "dialect"), [("gemini", "gemini"), ("groq", "openai-chat")])
def test_providers_that_cannot_stream_give_the_whole_as_one_piece(
    scene: Scene, profile: str, dialect: str
) -> None:
    """Groq refuses to stream what has a schema, so its row says not to ask for it."""
    fake = scene.fake("first", profile, reply=lambda _: '{"met": []}')
    models = '{ id = "m", tier = "small", json = "object" }'
    text = row("first", 1, models, f"{LIMITS}\nstream_json = false")
    house = scene.house(text.replace('"openai-chat"', f'"{dialect}"'))
    pieces, answer = heard(stream(house, request=replace(REQUEST, schema={"type": "object"})))
    assert (pieces, answer.value) == (['{"met": []}'], '{"met": []}')
    assert (house.used(FIRST), house.used(TOKENS)) == (1, fake.counts.tokens)
    assert (fake.counts.served, fake.counts.refused) == (1, 0)


# Failing over


@pytest.mark.parametrize(
    "step", ["500", "429:90", "drop", "empty", "html", "garbage", "error-in-200", "slow:8", "stall:0"]
)
def test_before_the_first_piece_the_next_route_takes_over(
    step: str, house: House, first: FakeUpstream, second: FakeUpstream
) -> None:
    first.plan(step)
    pieces, answer = heard(stream(house, task=SHORT))
    assert ("".join(pieces), provider(answer)) == (TEXT, "second")
    assert [s.route.provider for s in answer.failed] == ["first"]
    assert (first.counts.received, second.counts.received) == (1, 1)
    assert (house.used(FIRST), held(house)) == (first.counts.charged, 0)


def test_when_everyone_fails_before_the_first_piece_all_are_out(
    house: House, first: FakeUpstream, second: FakeUpstream
) -> None:
    first.plan("500")
    second.plan("429:90")
    with pytest.raises(AllRoutesOut) as caught:
        heard(stream(house))
    assert {s.route.provider for s in caught.value.skipped} == {"first", "second"}
    assert caught.value.soonest == min(c.until for c in house.health.cooldowns().values())


def test_a_filtered_request_is_refused_and_goes_to_nobody_else(
    house: House, first: FakeUpstream, second: FakeUpstream
) -> None:
    first.plan("filtered")
    with pytest.raises(Refused):
        heard(stream(house))
    assert (first.counts.received, second.counts.received) == (1, 0)
    assert (house.used(FIRST), held(house)) == (first.counts.charged, 0)


@pytest.mark.parametrize("step", ["stream-cut", "stream-error", "stream-no-end", "stall:2"])
def test_after_the_first_piece_a_failure_is_an_interruption(
    step: str, house: House, first: FakeUpstream, second: FakeUpstream
) -> None:
    first.plan(step)
    pieces: list[str] = []
    with pytest.raises(Interrupted):
        pieces.extend(stream(house, task=SHORT))
    assert (first.counts.received, second.counts.received) == (1, 0)
    assert (house.used(FIRST), held(house)) == (first.counts.charged, 0)
    assert house.used(TOKENS) >= first.counts.tokens
    assert list(house.health.cooldowns()) == ["first/m"]
    assert provider(heard(stream(house))[1]) == "second"


def test_a_whole_that_is_of_no_use_interrupts_after_its_pieces(
    house: House, first: FakeUpstream, second: FakeUpstream
) -> None:
    def read(text: str) -> str:
        raise BadReply("not what was asked for")

    pieces: list[str] = []
    with pytest.raises(Interrupted, match="not what was asked for"):
        pieces.extend(stream(house, read=read))
    assert "".join(pieces) == TEXT
    assert (first.counts.received, second.counts.received) == (1, 0)
    assert (house.used(FIRST), house.used(TOKENS), held(house)) == (1, first.counts.tokens, 0)
    assert house.health.cooldowns() == {}, "the request may be to blame"


def filtered_half_way(_: object) -> Wire:
    said = Completion("m", TEXT, "content_filter", 5, 9, 0, 1, 0)
    sent = wire_openai.stream("first", said, include_usage=True)
    pieces = sent.opening + sent.content + sent.ending
    return Wire(200, pieces, {"Content-Type": sent.content_type}, chunked=True)


def test_a_filter_that_strikes_half_way_is_an_interruption_too(scene: Scene) -> None:
    with closing(LoopbackServer(0, filtered_half_way)) as server:
        house = scene.house(
            row("first", 1, more=LIMITS), at={"first": f"http://127.0.0.1:{server.server_port}/v1"}
        )
        with pytest.raises(Interrupted):
            heard(stream(house))
