"""A fast chat-completions server on a free loopback port, in a process of its own, until its standard input ends.

`POST /<status>/<name>/...` answers with that status and counts a hit for the name; `GET /hits` tells the counts.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

import requests

from benchmarks.task import REPLY
from benchmarks.workers import ROOT

USAGE = {"prompt_tokens": 20, "completion_tokens": 6, "total_tokens": 26}
CHOICE = {"index": 0, "message": {"role": "assistant", "content": REPLY}, "finish_reason": "stop"}
CHAT = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [CHOICE], "usage": USAGE}
REFUSALS = {"429": "Rate limit reached. Please try again later.", "500": "The server had an error."}
_numbers = count(1)


@dataclass(frozen=True)
class Upstream:
    """The server as its caller sees it."""

    address: str

    def routes(self, *statuses: int) -> dict[str, str]:
        """A fresh route for each status it is to answer with, in this order: base URL by the name of its hits."""
        named = [(f"route{next(_numbers)}", status) for status in statuses]
        return {name: f"{self.address}/{status}/{name}/v1" for name, status in named}

    def hits(self) -> Mapping[str, int]:
        """How many calls arrived, by route; absent where none did."""
        found: dict[str, int] = requests.get(f"{self.address}/hits", timeout=10).json()
        return found


@contextmanager
def running() -> Iterator[Upstream]:
    command = [sys.executable, "-m", "benchmarks.upstream"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield Upstream(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.kill()


def _answer(status: str, payload: object) -> bytes:
    body = json.dumps(payload).encode()
    head = f"HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


ANSWERS = {"200": _answer("200", CHAT)} | {
    status: _answer(status, {"error": {"message": message, "type": "error", "code": status}})
    for status, message in REFUSALS.items()
}


class _Server:
    def __init__(self) -> None:
        self._hits: Counter[str] = Counter()
        self._lock = threading.Lock()

    def listen(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as stream:
            while line := stream.readline():
                length = 0
                while (header := stream.readline().lower()) not in (b"\r\n", b""):
                    if header.startswith(b"content-length:"):
                        length = int(header.partition(b":")[2])
                stream.read(length)
                connection.sendall(self._reply(line.split()[1].decode()))

    def _reply(self, path: str) -> bytes:
        with self._lock:
            if path == "/hits":
                return _answer("200", self._hits)
            _, status, name, *_ = path.split("/")
            self._hits[name] += 1
        return ANSWERS[status]


if __name__ == "__main__":
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    threading.Thread(target=_Server().listen, args=(listening,), daemon=True).start()
    print(listening.getsockname()[1], flush=True)
    sys.stdin.read()
