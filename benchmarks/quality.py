"""How well does a grader grade? Tries it on answers of our own writing and prints what it made of them.

    python -m benchmarks.quality --scripted | --provider NAME | --local URL

Exits with 1 where a bound is broken and with 2 where there was nobody to try. A real model takes some 170 calls,
which are counted in the app's own ledger; what is found is kept beside the app's history.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.quality_figures import Figure, figures
from benchmarks.quality_trial import Found, trial
from benchmarks.timing import table
from core import app as composition
from core import tasks
from core.app import App
from core.interview import prompts, rubric
from core.rulers import Rulers, Ruling
from core.settings import BadSetting, Settings, load_provider_values, load_settings
from core.stores.contract import Documents, StoreError
from core.stores.disk import DiskDocuments, open_cache
from providers.registry import Catalog, CatalogError, load_catalog, provider_settings

REPEATS = 5


class Nobody(Exception):
    """There is no grader to try; the message says what to do."""


def main(arguments: Sequence[str]) -> int:
    wanted = _parsed(arguments)
    try:
        found = _scripted(wanted.repeats) if wanted.scripted else _real(wanted)
    except (Nobody, BadSetting, CatalogError, StoreError) as error:
        print(error, file=sys.stderr)
        return 2
    shown = figures(found)
    print(told(found, shown))
    return int(any(not figure.holds for figure in shown))


def told(found: Found, shown: Sequence[Figure]) -> str:
    """In Markdown."""
    rows = [(each.name, each.seen, _verdict(each)) for each in shown]
    spent = f"{found.spent.calls} calls and {found.spent.tokens:,} tokens for {found.asked} gradings"
    versions = f"rubric {rubric.VERSION}, prompts {prompts.VERSION}"
    who = " and ".join(sorted(found.models)) or "nobody"
    return f"Graded by {who}; {versions}; {spent}.\n\n{table(('figure', 'seen', 'bound'), rows)}"


def _verdict(figure: Figure) -> str:
    return f"{figure.bound}: {'met' if figure.holds else 'MISSED'}" if figure.bound else ""


def _scripted(repeats: int) -> Found:
    """The grader that the tests use, behind a server of its own and a real balancer."""
    from tests.fakes.grader import grade
    from tests.fakes.upstream import FakeUpstream
    from tests.interviews import app

    with tempfile.TemporaryDirectory() as folder, FakeUpstream("cerebras", reply=grade) as fake:
        return trial(app(Path(folder), {"scripted": fake}), None, repeats)


def _real(wanted: argparse.Namespace) -> Found:
    """Of its models, the one that an interview would be graded by. What is found out is kept too."""
    settings = load_settings()
    catalog = load_catalog(settings.catalog_local)
    values = load_provider_values(provider_settings(catalog))
    name = wanted.provider or "local"
    if wanted.local:
        values |= {catalog[name].base_url_setting: wanted.local, "ALLOW_LOCAL_UPSTREAMS": "1"}
    app = _only(name, settings, catalog, values)
    ranking = app.balancer.ranking(tasks.turn(settings.answer_deadline))
    if not ranking.order:
        raise Nobody(f"{name} cannot answer now: {', '.join(sorted({s.reason for s in ranking.skipped}))}.")
    found = trial(app, ranking.order[0].name, wanted.repeats)
    if len(found.models) == 1:
        shown = figures(found)
        missed = tuple(each.name for each in shown if not each.holds)
        measured = {each.name: each.value for each in shown}
        rulers = Rulers(_history(settings))
        rulers.save(Ruling(min(found.models), app.clock.now(), rubric.VERSION, measured, missed))
    return found


def _only(name: str, settings: Settings, catalog: Catalog, values: Mapping[str, str]) -> App:
    """The app with this provider alone."""
    if name not in catalog:
        raise Nobody(f"There is no provider {name!r}; there are {', '.join(sorted(catalog))}.")
    own = {each: value for each, value in values.items() if each in catalog[name].settings}
    shared = {each: value for each, value in values.items() if each in ("ALLOW_LOCAL_UPSTREAMS", "ALLOW_PAID")}
    app = composition.build(settings, {**own, **shared}, None, lambda _: None)
    if name not in app.fleet.providers:
        raise Nobody(f"{name} cannot be asked: {app.fleet.off[name]}.")
    return app


def _history(settings: Settings) -> Documents:
    if settings.redis_url is None:
        return DiskDocuments(open_cache(settings.data_dir / "history"))
    from core.stores import redis

    return redis.RedisDocuments(redis.open_client(settings.redis_url.get_secret_value()), redis.HISTORY)


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--scripted", action="store_true", help="the tests' own grader")
    who.add_argument("--provider", metavar="NAME", help="a provider whose key is set")
    who.add_argument("--local", metavar="URL", help="a model server such as http://localhost:11434/v1")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="how often the same answer is graded")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
