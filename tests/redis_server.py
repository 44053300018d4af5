"""Real Redis servers on free ports: one that all tests share, and others to kill."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
import redis

PASSWORD = "CANARY-password"
SHARED = "GREENROOM_TEST_REDIS"  # tells child processes of a test where the shared server is


class RedisServer:
    """One server process whose data stay in `folder` over a restart. `options` are lines of redis.conf."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self.port = _free_port()
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> RedisServer:
        """Returns once the server answers. Skips the test if there is no Redis on this machine."""
        lines = (
            f"port {self.port}",
            "bind 127.0.0.1",
            f"dir {self._folder}",
            f"requirepass {PASSWORD}",
            'save ""',
        )
        conf = self._folder / "redis.conf"
        conf.write_text("\n".join((*lines, *self._options)), encoding="utf-8")
        self._process = subprocess.Popen([_binary(), str(conf)], stdout=subprocess.DEVNULL)
        with self.client() as client:
            give_up = time.monotonic() + 20
            while True:
                try:
                    client.ping()
                    return self
                except redis.ResponseError:
                    return self  # it answers, if only to refuse
                except redis.RedisError:
                    assert time.monotonic() < give_up, "redis-server does not answer"
                    time.sleep(0.02)

    def client(self) -> redis.Redis:
        """A plain client, for what a test does behind the store's back."""
        return redis.Redis.from_url(self.url, protocol=2, socket_timeout=5)

    def kill(self) -> None:
        """At once and without a farewell, as by a power cut. Fine if it is dead already."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def forget(self) -> None:
        """Delete what a dead server left on the disk."""
        for path in self._folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def running(folder: Path, *options: str) -> Iterator[RedisServer]:
    server = RedisServer(folder, *options)
    try:
        yield server.start()
    finally:
        server.kill()


def shared_url() -> str:
    """Of the server that lives as long as the test run."""
    return os.environ.get(SHARED) or _start_shared()


@cache
def _start_shared() -> str:
    folder = tempfile.TemporaryDirectory(prefix="greenroom-redis-")
    server = RedisServer(Path(folder.name))
    atexit.register(folder.cleanup)
    atexit.register(server.kill)
    server.start()
    os.environ[SHARED] = server.url
    return server.url


def _binary() -> str:
    """Without a server these tests skip, except in CI, where they must run."""
    found = shutil.which("redis-server")
    if found:
        return found
    if os.environ.get("CI"):
        pytest.fail("CI must run the Redis tests: install redis-server")
    pytest.skip("no redis-server on this machine (Debian: apt install redis-server)")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
