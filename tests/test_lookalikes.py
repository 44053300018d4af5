"""Error replies that look alike and mean different things, each sent through a balancer on its provider's own row.

The judge is what reaches the fake: which models are asked, how often, and when again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from core.balancer import AllRoutesOut, Wanted
from providers.errors import Refused
from tests.error_replies import NOW
from tests.fakes.clock import FrozenCalendar
from tests.fakes.house import REQUEST, TASK, House, build_house, limits, row
from tests.meanings import HOUR, REPLIES
from tests.verbatim import Verbatim, Words

KEY_SECONDS = 6 * HOUR  # a key that was refused is tried again now and then; nobody should count on it
BOTH = '{ id = "m", tier = "small", LIMITS }, { id = "n", tier = "small", LIMITS }'.replace(
    "LIMITS", limits(requests_minute=30, requests_day=1000)
)
ACCOUNT = f'ids = []\npath = "/accounts/{"a" * 32}/ai/v1/chat/completions"'


def shipped(name: str, more: str = "") -> str:
    """The row as we ship it, whatever that says today."""
    return f'[{name}]\nkey_setting = "{name.upper()}_KEY"\n{more}'


CATALOGUES = {
    "gemini": shipped("gemini"),
    "groq": shipped("groq"),
    "cloudflare": shipped("cloudflare", ACCOUNT),
    "openrouter": shipped("openrouter"),
    "cerebras": shipped("cerebras"),
    "deepseek": shipped("deepseek", 'free = "recurring"'),
    "huggingface": shipped("huggingface", 'free = "recurring"'),
    "mistral": row("mistral", 1, BOTH),
    "plain": row("plain", 1, BOTH),
}
ALIASES = {"hugging": "huggingface", "hostile": "gemini"}


def provider_of(name: str) -> str:
    first = name.split(maxsplit=1)[0]
    return ALIASES.get(first, first if first in CATALOGUES else "plain")


# Other wordings of the same


def reworded(said: Any, change: Callable[[str], str]) -> Any:
    """With every sentence changed, and nothing else."""
    if isinstance(said, list):
        return [reworded(each, change) for each in said]
    if isinstance(said, dict):
        return {
            name: change(value) if name in SENTENCES and isinstance(value, str) else reworded(value, change)
            for name, value in said.items()
        }
    return said


SENTENCES = ("message", "detail", "error", "title")


def shouted(words: Words) -> Words:
    """In capitals and in a list, with a byte order mark and line breaks around."""
    if isinstance(words.body, str):
        return replace(words, body=words.body.upper())
    listed = words.body if isinstance(words.body, list) else [words.body]
    return replace(words, body=f"\ufeff\r\n{json.dumps(reworded(listed, str.upper), indent=4)}\n")


def wide(words: Words) -> Words:
    """With line breaks between the words."""
    body = words.body.replace(" ", "  ") if isinstance(words.body, str) else words.body
    return replace(words, body=reworded(body, lambda said: said.replace(" ", " \n ")))


DRESSES: dict[str, Callable[[Words], Words]] = {"as it is": lambda words: words, "shouted": shouted, "wide": wide}


def cases() -> list[Any]:
    """Each reply in each dress that changes it."""
    found = []
    for name, (words, _) in REPLIES.items():
        for dress, put_on in DRESSES.items():
            dressed = put_on(words)
            if dress == "as it is" or dressed.body != words.body:
                found.append(pytest.param(name, dressed, id=f"{name}, {dress}"))
    return found


@dataclass(frozen=True)
class Scene:
    """A house of its own on a fake that others have called before."""

    house: House
    fake: Verbatim
    heard: int

    def ask(self) -> AllRoutesOut | None:
        """Why nobody answered, if nobody did."""
        try:
            self.house.ask()
        except AllRoutesOut as out:
            return out
        return None

    def asked(self) -> list[str]:
        """The models that were asked, in order."""
        return [exchange.model for exchange in self.fake.requests()[self.heard :]]


@pytest.fixture(scope="module")
def fakes() -> Iterator[dict[str, Verbatim]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(Verbatim(name)) for name in CATALOGUES}


@pytest.fixture
def scene(name: str, tmp_path: Path, fakes: dict[str, Verbatim]) -> Iterator[Scene]:
    provider = provider_of(name)
    fake = fakes[provider]
    house = build_house(tmp_path, CATALOGUES[provider], FrozenCalendar(NOW), {provider: fake})
    with closing(house):
        yield Scene(house, fake, fake.counts.received)


@pytest.mark.parametrize(("name", "words"), cases())
def test_who_is_left_alone_and_for_how_long(name: str, words: Words, scene: Scene) -> None:
    whose, wait = REPLIES[name][1]
    models = [route.model for route in scene.house.fleet.routes if route.does == "chat"]
    scene.fake.says = words
    if whose == "request":
        assert_nobody_is_left_alone(scene)
        return
    out = scene.ask()
    assert out is not None
    asked = scene.asked()
    assert sorted(asked) == sorted(models if whose == "model" else asked[:1])
    for _ in range(10):
        out = scene.ask()
        assert out is not None
    assert scene.asked() == asked, "nobody is called while they rest"
    assert out.soonest == (None if wait is None else pytest.approx(NOW + wait, abs=1e-3))
    back = NOW + KEY_SECONDS if out.soonest is None else out.soonest
    scene.house.clock.at = back - 0.001
    scene.ask()
    assert scene.asked() == asked, "nor a moment before it is over"
    scene.house.clock.at = back
    for _ in range(10):
        assert scene.ask() is not None
    assert sorted(scene.asked()) == sorted(2 * asked), "then one call each, and they rest again"


def assert_nobody_is_left_alone(scene: Scene) -> None:
    with pytest.raises((Refused, AllRoutesOut)):
        scene.house.ask()
    assert scene.house.balancer.ranking(TASK).skipped == ()
    scene.fake.says = None
    assert scene.ask() is None


@pytest.mark.parametrize("name", [name for name, (_, (whose, _)) in REPLIES.items() if whose != "request"])
def test_a_stream_that_does_not_begin_says_the_same(name: str, scene: Scene) -> None:
    models = [route.model for route in scene.house.fleet.routes if route.does == "chat"]
    scene.fake.says, (whose, _) = REPLIES[name]
    for _ in range(3):
        with pytest.raises(AllRoutesOut):
            next(scene.house.balancer.stream(Wanted(TASK, REQUEST, str), lambda: None))
    asked = scene.asked()
    assert sorted(asked) == sorted(models if whose == "model" else asked[:1])
