"""What the fake tells about itself: a key, lists of models in each provider's shape, and how those break."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import requests

from tests.fakes.asking import HandClock, ask
from tests.fakes.profiles import MODELS
from tests.fakes.upstream import Counts, FakeUpstream
from tests.fakes.wire_lists import row

SPECS = Path(__file__).parent / "data" / "specs"
KEY = {"Authorization": "Bearer right"}


@pytest.fixture
def http_session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def key_data(fake: FakeUpstream, session: requests.Session) -> dict[str, Any]:
    reply = session.get(f"{fake.base_url}/key", headers=KEY, timeout=10)
    data: dict[str, Any] = reply.json()["data"]
    schema = json.loads((SPECS / "openrouter_key.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(data)
    return data


def test_openrouters_key_tells_the_fakes_own_count(http_session: requests.Session) -> None:
    clock = HandClock()
    with FakeUpstream("openrouter", per_day=2, key="right", clock=clock) as fake:
        told = [key_data(fake, http_session)["free_model_daily_requests"]]
        for _ in range(3):
            ask(fake, http_session, key="right")
            told.append(key_data(fake, http_session)["free_model_daily_requests"])
        assert [row["used"] for row in told] == [0, 1, 2, 2]
        assert [row["remaining"] for row in told] == [2, 1, 0, 0]
        clock.at += 12 * 3600
        assert key_data(fake, http_session)["free_model_daily_requests"]["used"] == 0
        assert (fake.counts.received, len(fake.lookups())) == (3, 5)


def test_openrouters_key_says_who_ever_bought_credits(http_session: requests.Session) -> None:
    for per_day, free in ((50, True), (1000, False)):
        with FakeUpstream("openrouter", per_day=per_day) as fake:
            assert key_data(fake, http_session)["is_free_tier"] == free
    with FakeUpstream("openrouter") as fake:
        assert key_data(fake, http_session)["free_model_daily_requests"]["limit"] == 50


def test_openrouter_lists_models_to_anybody_but_a_balance_to_none(http_session: requests.Session) -> None:
    with FakeUpstream("openrouter", key="right") as fake:
        assert http_session.get(f"{fake.base_url}/key", timeout=10).status_code == 401
        listed = http_session.get(f"{fake.base_url}/models", timeout=10).json()
        assert [model["id"] for model in listed["data"]] == list(MODELS["openrouter"])
        fake.listed = [row("openrouter", "x:free", expiration_date="2026-12-01", supported_parameters=["stop"])]
        (model,) = http_session.get(f"{fake.base_url}/models", timeout=10).json()["data"]
        assert (model["expiration_date"], model["supported_parameters"]) == ("2026-12-01", ["stop"])
        assert model["pricing"] == {"prompt": "0", "completion": "0"}
        assert fake.counts == Counts()


def test_a_long_list_comes_in_pages(http_session: requests.Session) -> None:
    with FakeUpstream("openrouter") as fake:
        fake.listed = [row("openrouter", f"m{number}:free") for number in range(1201)]
        path, seen = "/api/v1/models", 0
        while path:
            page = http_session.get(fake.url + path, timeout=10).json()
            seen += len(page["data"])
            path = page["links"]["next"]
        assert seen == page["total_count"] == 1201
        assert len(fake.lookups()) == 3


@pytest.mark.parametrize("provider", ["cerebras", "gemini", "cloudflare"])
def test_models_are_listed_for_the_right_key(provider: str, http_session: requests.Session) -> None:
    paths = {
        "cerebras": "/models",
        "gemini": "/v1beta/models",
        "cloudflare": f"/accounts/{'a' * 32}/ai/models/search",
    }
    with FakeUpstream(provider, key="right") as fake:
        url = fake.base_url + paths[provider]
        assert http_session.get(url, timeout=10).status_code in {400, 401}
        reply = http_session.get(url, headers={"Authorization": "Bearer right"}, timeout=10)
        assert (reply.status_code, fake.counts) == (200, Counts())


@pytest.mark.parametrize("provider", ["groq", "together", "mistral", "nvidia", "cohere", "fireworks", "local"])
def test_each_lists_its_models_in_its_own_shape(provider: str, http_session: requests.Session) -> None:
    with FakeUpstream(provider, key="right") as fake:
        assert http_session.get(f"{fake.base_url}/models", timeout=10).status_code == 401
        listed = http_session.get(f"{fake.base_url}/models", headers=KEY, timeout=10).json()
        assert isinstance(listed, list) == (provider == "together")
        rows = listed if provider == "together" else listed["data"]
        assert [model["id"] for model in rows] == list(MODELS.get(provider, ["fake-model"]))


def test_replicate_tells_whose_key_it_is(http_session: requests.Session) -> None:
    with FakeUpstream("replicate", key="right") as fake:
        url = f"{fake.base_url}/account"
        assert http_session.get(url, timeout=10).status_code == 401
        assert http_session.get(url, headers=KEY, timeout=10).json()["type"] == "user"
        names = http_session.get(f"{fake.base_url}/models", headers=KEY, timeout=10).json()["results"]
        assert {name["owner"] for name in names} == {"meta"}


@pytest.mark.parametrize("path", ["/key", "/models"])
def test_lookups_break_on_request(path: str, http_session: requests.Session) -> None:
    with FakeUpstream("openrouter", key="right") as fake:
        url = fake.base_url + path

        def get() -> requests.Response:
            return http_session.get(url, headers=KEY, timeout=10, allow_redirects=False)

        fake.plan_get("401", "429-day", "503", "529", "html", "deep", "redirect:308", "numbers", "drop")
        assert [get().status_code for _ in range(4)] == [401, 429, 503, 529]
        assert "Just a moment" in get().text
        with pytest.raises(RecursionError):
            json.loads(get().content)
        assert get().headers["location"].startswith("http://localhost:")
        assert "NaN" in get().text
        with pytest.raises(requests.ConnectionError):
            get()
        assert get().status_code == 200
        fake.always_get("500")
        assert get().status_code == 500
        assert ask(fake, http_session, key="right").status_code == 200
