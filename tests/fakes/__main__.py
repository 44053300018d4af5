"""Run one fake provider for a local demo: `python -m tests.fakes --provider cerebras --per-day 50`."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import threading
from collections.abc import Callable, Sequence

from tests.fakes import faults
from tests.fakes.profiles import MODELS
from tests.fakes.upstream import Exchange, FakeUpstream, default_reply

_KEY = "fake-key-for-local-demo"
_GRADER = "tests.fakes.grader"


def environment(provider: str, base_url: str) -> list[str]:
    """The lines to export so that the app talks to the fake."""
    name = provider.upper()
    key = {"huggingface": "HF_TOKEN", "replicate": "REPLICATE_API_TOKEN"}.get(provider, f"{name}_API_KEY")
    lines = [f"{name}_BASE_URL={base_url}", f"{key}={_KEY}", "ALLOW_LOCAL_UPSTREAMS=1"]
    return [*lines, f"CLOUDFLARE_ACCOUNT_ID={'0' * 32}"] if provider == "cloudflare" else lines


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parse(arguments)
    limits = {"per_minute": given.per_minute, "per_day": given.per_day, "tokens_per_day": given.tokens_per_day}
    fake = FakeUpstream(given.provider, reply=_reply(), key=_KEY, latency=given.latency, port=given.port, **limits)
    fake.always(given.always)
    with fake:
        print(f"# A fake {given.provider} answers at {fake.url}; Ctrl+C stops it. To use it:")
        for line in environment(given.provider, fake.base_url):
            print(f"export {line}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(f"# {fake.counts}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    steps = "; ".join(f"{name}: {kind.about}" for name, kind in faults.STEPS.items())
    parser = argparse.ArgumentParser(prog="python -m tests.fakes", description=__doc__, epilog=f"Steps: {steps}")
    known = ", ".join(sorted(MODELS))
    parser.add_argument("--provider", default="cerebras", help=f"{known}; any other name speaks OpenAI's format")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--per-minute", type=int)
    parser.add_argument("--per-day", type=int)
    parser.add_argument("--tokens-per-day", type=int)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every reply")
    parser.add_argument("--always", default="ok", help="a step for every request, see below")
    return parser.parse_args(arguments)


def _reply() -> Callable[[Exchange], str]:
    """The grader's replies where that module exists, else the default."""
    if importlib.util.find_spec(_GRADER) is None:
        return default_reply
    grade: Callable[[Exchange], str] = importlib.import_module(_GRADER).grade
    return grade


if __name__ == "__main__":
    main()
