"""Eight processes run for the last calls of a day: the fake counts, and it counts to the last one and no further."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.house import limits, row
from tests.fakes.stores import BACKENDS
from tests.fakes.upstream import FakeUpstream
from tests.racer import LEFT, SERVED, SPENT, RunningClock
from tests.races import Crew, Desk, Racers, race, racers

DAY = 50
CREW = Crew(processes=8, threads=2, calls=100)
PRICED = '{ id = "m", tier = "small", neurons_per_million = [4625, 30475] }'
OTHERS = {"requests_minute": 400, "requests_hour": 300, "tokens_day": 20_000, "neurons_day": 2_000}
CATALOGUES = {
    "one limit": row("p", 1, more=limits(requests_day=DAY)),
    "five limits": row("p", 1, PRICED, limits(**OTHERS, requests_day=DAY)),
    "and three at once": row("p", 1, PRICED, limits(**OTHERS, requests_day=DAY, concurrent_call=3)),
}


@pytest.fixture(scope="module")
def crew() -> Iterator[Racers]:
    with racers() as ready:
        yield ready


def run_for_the_last_slot(backend: str, name: str, folder: Path, crew: Racers) -> None:
    desk = Desk(longest=0.03)
    with FakeUpstream("p", reply=desk.reply, per_day=DAY, per_minute=400, tokens_per_day=20_000) as fake:
        start = race(backend, folder, fake, CATALOGUES[name], CREW)
        crew.start(start)
        ends = crew.finish()
    assert (fake.counts.charged, fake.counts.received, fake.counts.refused) == (DAY, DAY, 0)
    assert all(ends), "a process crashed"
    total = sum(map(Counter, ends), Counter())
    print(total, desk.most)
    assert total.keys() <= {SERVED, LEFT, SPENT}
    assert total[SERVED] + total[LEFT] == DAY
    assert desk.most > 1
    if name == "and three at once":
        assert desk.most == 3


@pytest.mark.parametrize("name", CATALOGUES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_last_slot(backend: str, name: str, tmp_path: Path, crew: Racers) -> None:
    run_for_the_last_slot(backend, name, tmp_path, crew)
