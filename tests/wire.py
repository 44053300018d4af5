"""A loopback server that answers byte by byte, for everything a well-behaved one would never do."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

Script = Callable[[socket.socket], None]


class Wire:
    """A loopback server that lets a script answer each request byte by byte. `requests` is what it was sent."""

    def __init__(self, script: Script, keep_alive: bool = False) -> None:
        self.requests: list[str] = []
        self.connections = 0
        self._script, self._keep_alive = script, keep_alive
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1/chat?secret=canary-key-5f2c"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(5)
        with sock:
            try:
                while request := _read_request(sock):
                    self.requests.append(request)
                    self._script(sock)
                    if not self._keep_alive:
                        return
            except OSError:
                return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


def _read_request(sock: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := sock.recv(65536)):
            return ""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += sock.recv(65536)
    return (head + b"\r\n\r\n" + body).decode()


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def sends(data: bytes) -> Script:
    return lambda sock: sock.sendall(data)


def drips(start: bytes, drop: bytes, count: int = 400) -> Script:
    def script(sock: socket.socket) -> None:
        sock.sendall(start)
        for _ in range(count):
            time.sleep(0.02)
            sock.sendall(drop)

    return script


def stalls(start: bytes) -> Script:
    def script(sock: socket.socket) -> None:
        sock.sendall(start)
        sock.recv(1)  # returns when the client gives up

    return script
