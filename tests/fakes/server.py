"""A loopback HTTP server that performs Answers, well or badly. It knows nothing about providers."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.answer import Answer

DRIP_SECONDS = 0.2
_PEEK_SECONDS = 0.05
_JOIN_SECONDS = 5.0


@dataclass(frozen=True)
class Call:
    """An HTTP request. `target` is the path with its query, as it was sent."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class LoopbackServer(ThreadingHTTPServer):
    """Listens on 127.0.0.1 from construction on; `close` ends every open connection and joins every thread.

    `crashes` holds what `respond` raised; the client saw a bare 500. `departures` counts the clients that went
    away before their reply was complete.
    """

    request_queue_size = 256

    def __init__(self, port: int, respond: Callable[[Call], Answer]) -> None:
        self.respond = respond
        self.crashes: list[Exception] = []
        self.closing = threading.Event()
        self.departures = 0
        self._departed = threading.Condition()
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__(("127.0.0.1", port), _Handler)
        self._loop = threading.Thread(target=self.serve_forever, args=(0.02,), name="fake-upstream", daemon=True)
        self._loop.start()

    def server_bind(self) -> None:
        # The parent looks up this machine's own name here, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        args = (request, client_address)
        worker = threading.Thread(target=self.process_request_thread, args=args, daemon=True)
        with self._lock:
            self._open[request] = worker
        worker.start()

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._lock:
            self._open.pop(request, None)

    def note_departure(self) -> None:
        if not self.closing.is_set():
            with self._departed:
                self.departures += 1
                self._departed.notify_all()

    def wait_for_departures(self, count: int, within: float) -> bool:
        with self._departed:
            return self._departed.wait_for(lambda: self.departures >= count, within)

    def close(self) -> None:
        self.closing.set()
        self.shutdown()
        self._loop.join(_JOIN_SECONDS)
        self.server_close()
        with self._lock:
            still_open = list(self._open.items())
        for connection, worker in still_open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            worker.join(_JOIN_SECONDS)


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    _doomed = False

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, *args: object) -> None:
        """Requests are read from the fake, not from a log."""

    def do_GET(self) -> None:
        self._reply()

    def do_POST(self) -> None:
        self._reply()

    def _reply(self) -> None:
        if self._doomed:
            self._reset()
            return
        answer = self._answer()
        try:
            self._perform(answer)
        except ConnectionError:
            self.server.note_departure()
            raise

    def _answer(self) -> Answer:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = Call(self.command, self.path, dict(self.headers.items()), body)
        try:
            return self.server.respond(call)
        except Exception as error:  # noqa: BLE001 - kept for the test, which must hear about it
            self.server.crashes.append(error)
            return Answer(500, (b"the fake itself crashed",), {"Content-Type": "text/plain"})

    def _perform(self, answer: Answer) -> None:
        cancelled = answer.delay > 0 and self.server.closing.wait(answer.delay)
        if cancelled or answer.delivery == "nothing":
            self.close_connection = True
            return
        if answer.delivery == "never":
            self._stall()
            return
        self._doomed = answer.delivery == "reset-later"
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        size = sum(map(len, answer.pieces)) // (2 if answer.delivery == "short" else 1)
        framing = ("Transfer-Encoding", "chunked") if answer.chunked else ("Content-Length", str(size))
        self.send_header(*framing)
        self.end_headers()
        self._send_body(answer)

    def _send_body(self, answer: Answer) -> None:
        frames = [_chunk(piece) for piece in answer.pieces] if answer.chunked else list(answer.pieces)
        if answer.delivery == "cut" or (answer.delivery == "stall" and not answer.chunked):
            half = len(frames) // 2
            frames = [*frames[:half], frames[half][: len(frames[half]) // 2]]
            self.close_connection = True
        elif answer.delivery == "bad-chunk":
            frames = [*frames[: len(frames) // 2], b"zz\r\n", *frames[len(frames) // 2 :]]
            self.close_connection = True
        elif answer.chunked and answer.delivery != "stall":
            frames.append(b"0\r\n\r\n")
        for frame in frames:
            if answer.delivery == "drip":
                self._drip(frame)
            else:
                self.wfile.write(frame)
        if answer.delivery == "stall":
            self._stall()

    def _reset(self) -> None:
        """End the connection so that the client gets a reset instead of an orderly end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def _stall(self) -> None:
        self.close_connection = True
        self.connection.settimeout(_PEEK_SECONDS)
        while not self.server.closing.is_set():
            with contextlib.suppress(TimeoutError):
                if not self.connection.recv(1, socket.MSG_PEEK):
                    raise ConnectionAbortedError

    def _drip(self, frame: bytes) -> None:
        for at in range(len(frame)):
            if self.server.closing.wait(DRIP_SECONDS):
                self.close_connection = True
                return
            self.wfile.write(frame[at : at + 1])


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)
