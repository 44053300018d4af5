"""The real app as a process of its own, for tests that must see what a browser or curl sees."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0


@dataclass
class Server:
    url: str
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        return "".join(self.lines)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def command(port: int) -> list[str]:
    options = ["--server.port", str(port), "--server.headless", "true", "--server.address", "127.0.0.1"]
    return [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py"), *options]


def uvicorn(port: int) -> list[str]:
    options = ["--host", "127.0.0.1", "--port", str(port), "--app-dir", str(ROOT)]
    return [sys.executable, "-m", "uvicorn", "streamlit_app:app", *options]


@contextmanager
def running(env: Mapping[str, str], cwd: Path = ROOT, with_uvicorn: bool = False) -> Iterator[Server]:
    """Start the app with `env` on top of the test's own environment, wait until it answers, stop it after."""
    port = free_port()
    process = subprocess.Popen(
        uvicorn(port) if with_uvicorn else command(port),
        env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    server = Server(f"http://127.0.0.1:{port}", process)
    reader = threading.Thread(target=_read, args=(server,), daemon=True)
    reader.start()
    try:
        _wait(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5)
        assert process.stdout is not None
        process.stdout.close()


def _read(server: Server) -> None:
    assert server.process.stdout is not None
    for line in server.process.stdout:
        server.lines.append(line)


def _wait(server: Server) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        assert server.process.poll() is None, f"the server ended at once:\n{server.output}"
        try:
            if requests.get(f"{server.url}/healthz", timeout=2).headers["content-type"] == "application/json":
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError(f"the server did not answer:\n{server.output}")
