"""Eight processes run for the last calls of a day: the fake counts to the last one, and no further."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.house import limits, row
from tests.fakes.stores import BACKENDS
from tests.fakes.upstream import FakeUpstream, Options
from tests.racer import LEFT, SERVED, SPENT
from tests.races import Crew, Desk, Racers, race, racers

DAY, MINUTE, TOKENS = 50, 400, 20_000
AT_ONCE = 3
CREW = Crew(processes=8, threads=2, calls=100)
PRICED = '{ id = "m", tier = "small", neurons_per_million = [4625, 30475] }'
OTHERS = {"requests_minute": MINUTE, "tokens_day": TOKENS, "neurons_day": 2_000}
CATALOGUES = {
    "one limit": row("p", 1, more=limits(requests_day=DAY)),
    "five limits": row("p", 1, PRICED, limits(**OTHERS, concurrent_call=12, requests_day=DAY)),
    "three at once": row("p", 1, PRICED, limits(**OTHERS, concurrent_call=AT_ONCE, requests_day=DAY)),
}
EVERY = pytest.mark.parametrize(
    ("backend", "name"), [(backend, name) for backend in BACKENDS for name in CATALOGUES]
)


@pytest.fixture(scope="module")
def crew() -> Iterator[Racers]:
    with racers() as ready:
        yield ready


def run_for_the_last_slot(backend: str, name: str, folder: Path, crew: Racers) -> None:
    desk = Desk(longest=0.03)
    grant: Options = {"per_day": DAY, "per_minute": MINUTE, "tokens_per_day": TOKENS}
    with FakeUpstream("p", reply=desk.reply, **grant) as fake:
        ends = crew.run(race(backend, folder, fake, CATALOGUES[name], CREW))
    assert (fake.counts.charged, fake.counts.received, fake.counts.refused) == (DAY, DAY, 0)
    total: Counter[str] = sum(map(Counter, filter(None, ends)), Counter())
    assert total.keys() == {SERVED, LEFT, SPENT}
    assert (total[SERVED] + total[LEFT], total.total()) == (DAY, CREW.processes * CREW.calls)
    assert 1 < desk.most <= 2 * CREW.processes
    if name == "three at once":
        assert desk.most == AT_ONCE


@EVERY
def test_the_last_slot(backend: str, name: str, tmp_path: Path, crew: Racers) -> None:
    run_for_the_last_slot(backend, name, tmp_path, crew)


@pytest.mark.slow
@pytest.mark.parametrize("run", range(20))
@EVERY
def test_the_last_slot_twenty_times(backend: str, name: str, run: int, tmp_path: Path, crew: Racers) -> None:
    run_for_the_last_slot(backend, name, tmp_path, crew)
