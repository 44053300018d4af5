"""A loopback server that answers byte by byte, for everything a well-behaved one would never do."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable

Script = Callable[[socket.socket], None]


class Wire:
    """A loopback server that lets a script answer each request byte by byte. `requests` is what it was sent.

    `left` is set when a client has gone away in the middle of an answer, `sent` when an answer is on its way.
    """

    def __init__(self, script: Script, keep_alive: bool = False, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[str] = []
        self.connections = 0
        self.left, self.sent = threading.Event(), threading.Event()
        self._open: list[socket.socket] = []
        self._script, self._keep_alive, self._tls = script, keep_alive, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/v1/chat?secret=canary-key-5f2c"
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
        sock.settimeout(10)
        try:
            with self._tls.wrap_socket(sock, server_side=True) if self._tls else sock as open_sock:
                self._open.append(open_sock)
                while request := _read_request(open_sock):
                    self.requests.append(request)
                    self._script(open_sock)
                    self.sent.set()
                    if not self._keep_alive:
                        return
        except (ConnectionError, ssl.SSLEOFError):
            self.left.set()
        except OSError:
            return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
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
        if not (more := sock.recv(1 << 20)):
            return ""
        body += more
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
        if not sock.recv(1):
            raise ConnectionAbortedError("the client gave up")

    return script
