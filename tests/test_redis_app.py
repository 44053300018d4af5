"""The app on Redis: how it is set up, what it says when it cannot start, and two machines as one."""

from __future__ import annotations

import logging
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from core import app
from core.settings import BadSetting, Settings, load_settings
from core.stores.contract import StoreError
from core.stores.redis import RedisClock, RedisDocuments, RedisLedger, open_client
from tests.fakes.clock import FrozenClock
from tests.interviews import SETUP
from tests.redis_server import PASSWORD, RedisServer, running

ROOT = Path(__file__).parent.parent


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    (tmp_path / "redis").mkdir()
    with running(tmp_path / "redis") as made:
        yield made


def machine(server: RedisServer, folder: Path) -> app.App:
    settings = Settings(data_dir=folder, redis_url=SecretStr(server.url))
    return app.build(settings, {}, None, announce=lambda line: None)


def close(built: app.App) -> None:
    """The app lives as long as its process, so only a test ever closes its connections."""
    clock = built.engine._clock
    assert isinstance(clock, RedisClock)
    clock._client.close()


@pytest.mark.parametrize(
    "value",
    [
        "localhost:6379",
        "http://:CANARY@host:6379",
        "redis://",
        "redis://:CANARY@",
        "redis://:CANARY@host:port",
        "redis://:CANARY@host:99999",
        "redis://:CAN/ARY@host",
        "rediss://[CANARY",
    ],
)
def test_a_wrong_address_is_one_line_with_the_remedy(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", value)
    with pytest.raises(BadSetting) as caught:
        load_settings()
    assert str(caught.value).startswith("REDIS_URL is not the address of a Redis server: give redis://")
    assert "\n" not in str(caught.value)
    assert "CAN" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("url", ["redis://h", "rediss://user:p%40ss@h:6380/2", "unix:///run/redis.sock", " "])
def test_right_addresses_are_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    assert (load_settings().redis_url is None) is (url == " ")


def test_two_machines_are_one(server: RedisServer, tmp_path: Path) -> None:
    one, two = machine(server, tmp_path / "one"), machine(server, tmp_path / "two")
    token, interview = one.engine.start(SETUP)
    assert two.engine.load(token) == interview
    one.engine.delete(token)
    assert not list(tmp_path.glob("one*")) + list(tmp_path.glob("two*")), "nothing is left on a machine's own disk"
    close(one)
    close(two)


def test_current_starts_on_redis_and_says_so_when_it_cannot(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", server.url)
    close(app.current())
    server.kill()
    app.current.cache_clear()
    with pytest.raises(
        BadSetting, match=r"^REDIS_URL: Redis failed: ConnectionError\. Start that server"
    ) as caught:
        app.current()
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_without_the_setting_the_package_is_not_imported(tmp_path: Path) -> None:
    script = "import sys; from core.app import current; current(); sys.exit('redis' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60, check=True, capture_output=True)


@pytest.mark.parametrize("wrong", ["redis://:CANARY-wrong@127.0.0.1:{}", "redis://CANARY:CANARY@127.0.0.1:{}"])
def test_a_refused_password_is_named_and_not_told(wrong: str, server: RedisServer) -> None:
    with pytest.raises(StoreError) as caught:
        open_client(wrong.format(server.port))
    assert "Authentication" in str(caught.value) or "WRONGPASS" in str(caught.value)
    assert "CANARY" not in "".join(traceback.format_exception(caught.value))


def test_a_server_that_quotes_the_password_is_not_quoted(tmp_path: Path) -> None:
    with running(tmp_path, "rename-command AUTH HUSH", 'requirepass ""') as server:
        with pytest.raises(redis.ResponseError, match=PASSWORD), server.client() as client:
            client.ping()
        with pytest.raises(StoreError) as caught:
            open_client(server.url)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_the_password_is_in_no_repr(server: RedisServer) -> None:
    with open_client(server.url) as client:
        made = (client, RedisLedger(client), RedisDocuments(client), RedisClock(client, FrozenClock()))
        assert PASSWORD not in f"{made} {[vars(one) for one in made[1:]]}"


def test_a_server_that_evicts_is_warned_of_loudly(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    open_client(server.url).close()
    assert not caplog.records
    with server.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    open_client(server.url).close()
    assert "allkeys-lru" in caplog.text
    assert "Set maxmemory-policy noeviction" in caplog.text
    assert PASSWORD not in caplog.text


def test_a_server_that_keeps_its_policy_to_itself_is_taken(server: RedisServer) -> None:
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "shy", "on", ">pw", "~greenroom:*", "+@all", "-info", "-config")
    with open_client(f"redis://shy:pw@127.0.0.1:{server.port}") as client:
        assert RedisDocuments(client).replace("k", None, "text") is True
