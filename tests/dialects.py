"""Every dialect as the app builds it, each in front of a fake of its own, with secrets to be searched for."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from providers.contracts import ChatReply, ChatRequest, Message, Pulse, Recording, Route, Usage
from providers.errors import ProviderError
from providers.registry import Catalog, Fleet, connect, load_catalog
from providers.replicate import Replicate
from tests.fakes.asking import wav
from tests.fakes.clock import FrozenCalendar
from tests.fakes.upstream import FakeUpstream

Mode = Literal["whole", "stream", "speech"]

OPENAI_ROWS = ("cerebras", "groq", "deepseek", "huggingface", "mistral", "nvidia", "together", "local")
MORE_OPENAI_ROWS = ("fireworks", "cohere", "sambanova")
ROWS = (*OPENAI_ROWS, *MORE_OPENAI_ROWS, "openrouter", "cloudflare", "gemini", "replicate")
SPEAKING = ("groq", "local", "cloudflare")
CALLS: tuple[tuple[str, Mode], ...] = (
    *((name, "whole") for name in ROWS),
    *((name, "stream") for name in ROWS),
    *((name, "speech") for name in SPEAKING),
)
DISTINCT: tuple[tuple[str, Mode], ...] = tuple(
    call
    for call in CALLS
    if call[0] in {"groq", "mistral", "local", "openrouter", "cloudflare", "gemini", "replicate"}
)
"""One row for each dialect, and more where a row's knobs change what is sent."""

ACCOUNT_ID = "cafe0123cafe4567cafe89abcafecdef"
HEADER = "canary-header-9d1e"
PROMPT = "canary-resume: I led a team of four."
SECONDS = 3.5


def key_of(name: str) -> str:
    return f"canary-key-{name}-5f2c"


SECRETS = ("canary-key", ACCOUNT_ID, HEADER, "canary-resume")
LOCAL_MODELS = """
[local]
models = [{ id = "llama3.1:8b", tier = "small", json = "schema" }, { id = "whisper-1", does = "transcribe" }]
headers = { x-team = "canary-header-9d1e" }
"""


def request_of(timeout: float = 5.0, **more: Any) -> ChatRequest:
    return ChatRequest((Message("system", "Be brief."), Message("user", PROMPT)), timeout=timeout, **more)


def recording_of(timeout: float = 5.0, **more: Any) -> Recording:
    return Recording(wav(SECONDS), SECONDS, timeout=timeout, **more)


def settings_for(catalog: Catalog, urls: Mapping[str, str]) -> dict[str, str]:
    """What an operator sets so that every provider of `urls` is called there."""
    found = {"ALLOW_LOCAL_UPSTREAMS": "1", "CLOUDFLARE_ACCOUNT_ID": ACCOUNT_ID}
    found["ALLOW_PAID"] = ",".join(name for name in urls if catalog[name].free == "paid")
    for name, url in urls.items():
        found |= {catalog[name].key_setting: key_of(name), catalog[name].base_url_setting: url}
    return found


def own_rows(folder: Path) -> Catalog:
    """The shipped catalogue; every row sends a header of the operator's, and the local server can listen too."""
    path = folder / "catalog.local.toml"
    rows = [f'[{name}]\nheaders = {{ x-team = "{HEADER}" }}\n' for name in ROWS if name != "local"]
    path.write_text("".join((*rows, LOCAL_MODELS)), encoding="utf-8")
    return load_catalog(path)


def quiet() -> None:
    """A pulse of somebody who wants to go on."""


def drained(pieces: Generator[str, None, ChatReply]) -> tuple[list[str], ChatReply]:
    seen = []
    while True:
        try:
            seen.append(next(pieces))
        except StopIteration as end:
            return seen, end.value


@dataclass(frozen=True)
class Line:
    """One provider, one of its models, one way to call it, and the fake that answers."""

    name: str
    mode: Mode
    provider: Any
    route: Route
    upstream: FakeUpstream = field(repr=False)

    def call(self, timeout: float = 5.0, pulse: Pulse = quiet, **more: Any) -> tuple[list[str], ChatReply]:
        """The pieces, and the whole; a call that does not stream has one piece."""
        if self.mode == "stream":
            return drained(self.provider.stream(self.route, request_of(timeout, **more), pulse))
        if self.mode == "speech":
            reply = self.provider.transcribe(self.route, recording_of(timeout, **more))
        else:
            reply = self.provider.complete(self.route, request_of(timeout, **more))
        return [reply.text], reply

    def fails(self, timeout: float = 5.0) -> ProviderError:
        """The error of a call that has to fail. What it shows is searched for secrets."""
        try:
            found = self.call(timeout)
        except ProviderError as error:
            assert_keeps_secrets(error)
            return error
        raise AssertionError(f"answered {found}")

    def breaks(self) -> tuple[list[str], ProviderError]:
        """The pieces of a stream that has to fail, and its error."""
        pieces: list[str] = []
        try:
            for piece in self.provider.stream(self.route, request_of(), quiet):
                pieces.append(piece)  # what came before the error is kept
        except ProviderError as error:
            assert_keeps_secrets(error)
            return pieces, error
        raise AssertionError(f"answered {pieces}")

    def seen(self) -> list[Any]:
        """Every request of this kind that the fake got."""
        return list(self.upstream.speeches() if self.mode == "speech" else self.upstream.requests())

    @contextmanager
    def bent(self, step: str, get: str = "ok") -> Iterator[None]:
        """The fake does this to every request, and `get` to every GET."""
        self.upstream.always(step)
        self.upstream.always_get(get)
        try:
            yield
        finally:
            self.upstream.always("ok")
            self.upstream.always_get("ok")


def line_in(fleet: Fleet, call: tuple[str, Mode], upstream: Any = None) -> Line:
    """The provider's first model that can do it. Without an `upstream` nothing can be asked of the fake."""
    name, mode = call
    does = "transcribe" if mode == "speech" else "chat"
    route = next(r for r in fleet.routes if r.provider == name and r.does == does)
    return Line(name, mode, _hurried(fleet.providers[name]), route, upstream)


def _hurried(provider: Any) -> Any:
    """Replicate without long rests between two looks at a prediction."""
    if not isinstance(provider, Replicate):
        return provider
    return replace(provider, sleep=lambda _: time.sleep(0.005))


@dataclass(frozen=True)
class Lines:
    """All of them, by (name, mode). The same fakes serve many tests, so a test leaves them as they were."""

    fleet: Fleet
    upstreams: Mapping[str, FakeUpstream]

    def __getitem__(self, call: tuple[str, Mode]) -> Line:
        return line_in(self.fleet, call, self.upstreams[call[0]])

    def routes(self, line: Line) -> tuple[Route, ...]:
        """Every model that the same provider has for chats."""
        return tuple(r for r in self.fleet.routes if r.provider == line.name and r.does == "chat")


@contextmanager
def dialled(folder: Path, urls: Mapping[str, str], **settings: str) -> Iterator[Fleet]:
    """The providers of `urls` at these addresses, connected as the app does it; `settings` go before ours."""
    catalog = own_rows(folder)
    fleet = connect(catalog, {**settings_for(catalog, urls), **settings}, FrozenCalendar())
    try:
        yield fleet
    finally:
        fleet.close()


@contextmanager
def opened(folder: Path, names: Iterable[str] = ROWS, **options: Any) -> Iterator[Lines]:
    """Fakes for these rows with providers that call them. The calendar stands still at noon, UTC."""
    with ExitStack() as stack:
        clock = FrozenCalendar()
        made = {
            name: stack.enter_context(FakeUpstream(name, key=key_of(name), clock=clock, **options))
            for name in names
        }
        urls = {name: fake.base_url for name, fake in made.items()}
        yield Lines(stack.enter_context(dialled(folder, urls)), made)


def assert_keeps_secrets(error: BaseException) -> None:
    """None of the secrets in its message, its repr or its traceback, chained errors included."""
    shown = "\n".join((str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)))
    found = [secret for secret in SECRETS if secret in shown]
    assert not found, f"{found} in {shown}"


def assert_sound(usage: Usage | None) -> None:
    """What it counts can be charged."""
    if usage is None:
        return
    for count in (usage.prompt_tokens, usage.completion_tokens):
        assert type(count) is int, usage
        assert 0 <= count < 10**10, usage
    for number in (usage.seconds, 0.0 if usage.neurons is None else usage.neurons):
        assert type(number) in (int, float), usage
        assert 0 <= number < float("inf"), usage


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    """What `act` gave or raised as a ProviderError, and how many seconds it took."""
    began = time.monotonic()
    try:
        found = act()
    except ProviderError as error:
        found = error
    return found, time.monotonic() - began
