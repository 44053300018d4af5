"""What replies teach: limits that are lower than we thought, and quota that others used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests

from core.balancer import AllRoutesOut, Wanted
from tests.fakes.asking import ask
from tests.fakes.exchange import Exchange
from tests.fakes.house import REQUEST, TASK, House, limits, row
from tests.fakes.stores import BACKENDS
from tests.fakes.upstream import FakeUpstream
from tests.scene import Scene, drain, heard, standing

PACIFIC = "America/Los_Angeles"
TWO_MODELS = ", ".join(
    f'{{ id = "{name}", tier = "small", {limits(requests_day=500, requests_minute=15)} }}' for name in "mn"
)
GOOGLE = (
    row("google", 1, TWO_MODELS)
    .replace('"openai-chat"', '"gemini"')
    .replace('zone = "UTC"', f'zone = "{PACIFIC}"')
)
DAY, MINUTE, OTHER_DAY = "google/m|requests|day", "google/m|requests|minute", "google/n|requests|day"
TELLS = """
[acme.tells]
x-ratelimit-limit-requests-day = { unit = "requests", window = "day", what = "limit" }
x-ratelimit-remaining-requests-day = { unit = "requests", window = "day", what = "remaining" }
"""
ACME = row("acme", 1, more=limits(requests_day=50) + TELLS)
ACME_DAY = "acme|requests|day"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path, stack)


@pytest.fixture(params=BACKENDS)
def google(request: pytest.FixtureRequest, scene: Scene) -> Callable[[], House]:
    """Starts a balancer on what a fake Google grants, which is 20 a day and 5 a minute for each model."""
    scene.fake("google", "gemini", per_day=20, per_minute=5, per_model=True)

    def start() -> House:
        return scene.house(GOOGLE, store=BACKENDS[request.param](scene.folder / "store"))

    return start


def known(house: House, key: str) -> tuple[float, str, float]:
    """Amount, its source and what remains of it."""
    found = standing(house.balancer, key)
    return found.amount, found.source, found.remaining


def out(house: House) -> AllRoutesOut:
    with pytest.raises(AllRoutesOut) as caught:
        house.ask()
    return caught.value


def ask_m(house: House) -> str:
    return house.balancer.complete(Wanted(TASK, REQUEST, str, pinned="google/m")).route


def pacific(*local: int) -> float:
    return datetime(*local, tzinfo=ZoneInfo(PACIFIC)).timestamp()  # type: ignore[misc, arg-type]


# A limit that is lower than the catalogue says


def test_a_daily_limit_told_by_an_error_lowers_the_standing_at_once(
    google: Callable[[], House], scene: Scene
) -> None:
    house = google()
    scene.fakes["google"].plan("429-day")
    assert house.ask().route == "google/n"
    assert known(house, DAY) == (20, "learned", 0)
    assert standing(house.balancer, DAY).cap == 20
    assert known(house, OTHER_DAY) == (500, "catalogue", 499)
    assert known(house, MINUTE)[:2] == (15, "catalogue")
    told = next(s for s in house.status.read().as_json()["quotas"]["google"]["standings"] if s["limit"] == 20)
    assert (told["pool"], told["remaining"], told["source"]) == ("google/m", 0, "learned")


def test_a_learned_limit_survives_a_restart(google: Callable[[], House], scene: Scene) -> None:
    scene.fakes["google"].plan("429-day")
    google().ask()
    again = google()
    assert known(again, DAY) == (20, "learned", 0)
    assert again.ask().route == "google/n"
    assert scene.fakes["google"].counts.refused == 1


def test_it_rises_after_the_providers_midnight_and_a_good_call_and_not_before(
    google: Callable[[], House], scene: Scene
) -> None:
    scene.clock.at = pacific(2026, 11, 1, 0, 30)  # a day of 25 hours
    house, fake = google(), scene.fakes["google"]
    fake.plan("429-day")
    house.ask()
    scene.clock.at = pacific(2026, 11, 2) - 0.001
    assert house.ask().route == "google/n", "still yesterday in California"
    assert known(house, DAY)[:2] == (20, "learned")
    scene.clock.at = pacific(2026, 11, 2)
    assert known(house, DAY) == (20, "learned", 20)
    fake.plan("500")
    assert ask_m(house) == "google/n"
    assert known(house, DAY)[:2] == (20, "learned"), "a failure proves nothing"
    scene.clock.advance(700)
    assert ask_m(house) == "google/m"
    assert known(house, DAY)[:2] == (500, "catalogue")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_good_call_sent_before_the_reset_raises_nothing(backend: str, scene: Scene) -> None:
    midnight = pacific(2026, 11, 24)
    houses: list[House] = []

    def reply(_: Exchange) -> str:
        if houses:
            house = houses.pop()
            ask_m(house)
            scene.clock.at = midnight + 1
            house.store.close()
        return "a good answer"

    scene.clock.at = midnight - 1
    fake = scene.fake("google", "gemini", per_day=20, per_model=True, reply=reply)
    fake.plan("ok", "429-day")
    house = scene.house(GOOGLE, store=BACKENDS[backend](scene.folder / "store"))
    houses.append(house)
    assert ask_m(house) == "google/m"
    assert fake.counts.received == 3
    assert known(house, DAY)[:2] == (20, "learned")
    scene.clock.advance(60)
    assert ask_m(house) == "google/m"
    assert known(house, DAY)[:2] == (500, "catalogue")


def test_a_limit_that_stays_low_is_learned_anew_at_the_cost_of_one_call(
    google: Callable[[], House], scene: Scene
) -> None:
    house, fake = google(), scene.fakes["google"]
    answered = 0
    for _ in range(3):
        for _ in range(12):
            answered += drain(house.balancer)
            scene.clock.advance(61)
        assert known(house, DAY) == (20, "learned", 0)
        scene.clock.at = standing(house.balancer, DAY).resets_at
    assert (answered, fake.counts.served) == (120, 120), "twenty a day of each model, to the last one"


def test_a_minute_told_by_an_error_lowers_the_standing_for_a_minute_and_a_good_call(
    google: Callable[[], House], scene: Scene
) -> None:
    house, fake = google(), scene.fakes["google"]
    fake.plan("429-minute")
    house.ask()
    assert known(house, MINUTE) == (5, "learned", 5), "when they are back is for the cooldown to say"
    assert known(house, DAY)[:2] == (500, "catalogue")
    scene.clock.advance(59.9)
    assert house.ask().route == "google/n"
    scene.clock.advance(0.1)
    assert known(house, MINUTE) == (5, "learned", 5)
    assert house.ask().route == "google/m"
    assert known(house, MINUTE) == (15, "catalogue", 14)


# What others used


@pytest.fixture
def acme(scene: Scene) -> FakeUpstream:
    return scene.fake("acme", "cerebras", per_day=50)


def use(fake: FakeUpstream, calls: int) -> None:
    """Somebody else uses the same key."""
    with requests.Session() as session:
        for _ in range(calls):
            assert ask(fake, session).status_code == 200


@pytest.mark.parametrize("how", ["complete", "stream", "failure"])
def test_what_others_took_is_taken(how: str, scene: Scene, acme: FakeUpstream) -> None:
    house = scene.house(ACME)
    house.ask()
    use(acme, 30)
    if how == "complete":
        house.ask()
    elif how == "stream":
        heard(house.balancer.stream(Wanted(TASK, REQUEST, str), lambda: None))
    else:
        acme.plan("empty")
        out(house)
    assert house.used(ACME_DAY) == acme.counts.charged == 32
    assert standing(house.balancer, ACME_DAY).source == "catalogue"
    assert drain(house.balancer) == 18, "to the last one"
    assert (acme.counts.charged, acme.counts.refused) == (50, 0)


def test_a_provider_that_counts_less_than_we_do_lowers_nothing(scene: Scene, acme: FakeUpstream) -> None:
    house = scene.house(ACME)
    for _ in range(10):
        house.ask()
    scene.fake("acme", "cerebras", per_day=50)
    again = scene.house(ACME)
    again.ask()
    assert again.used(ACME_DAY) == 11


def test_a_limit_larger_than_ours_changes_nothing(scene: Scene) -> None:
    fake = scene.fake("acme", "cerebras", per_day=400)
    house = scene.house(ACME)
    house.ask()
    assert known(house, ACME_DAY) == (50, "catalogue", 49)
    assert drain(house.balancer) == 49
    assert fake.counts.charged == 50


def test_a_limit_told_by_a_header_holds_to_its_last_call(scene: Scene) -> None:
    fake = scene.fake("acme", "cerebras", per_day=20)
    house = scene.house(ACME)
    assert drain(house.balancer) == 20
    assert (fake.counts.charged, fake.counts.refused) == (20, 0)
    assert known(house, ACME_DAY) == (20, "learned", 0)


def test_what_is_left_to_others_is_a_share_of_the_limit_that_was_learned(scene: Scene) -> None:
    fake = scene.fake("acme", "cerebras", per_day=10)
    house = scene.house(ACME)
    house.ask()
    assert known(house, ACME_DAY) == (10, "learned", 9)
    script = replace(TASK, name="text", leaves=0.2)
    answered = 1
    while answered < 10 and not house.balancer.ranking(script).skipped:
        house.ask(task=script)
        answered += 1
    assert (answered, fake.counts.charged) == (8, 8)


# A limit that the operator edits


def test_editing_a_limit_keeps_what_was_used(scene: Scene) -> None:
    fake = scene.fake("acme")
    for amount, asked, answered, total in ((50, 3, 3, 3), (5, 9, 2, 5), (4, 9, 0, 5), (9, 9, 4, 9)):
        house = scene.house(row("acme", 1, more=limits(requests_day=amount)))
        assert drain(house.balancer, asked) == answered
        assert house.used(ACME_DAY) == fake.counts.charged == total
