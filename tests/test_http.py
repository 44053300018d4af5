"""The HTTP door on a real wire: deadlines, caps, redirects, keep-alive, and messages without secrets."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import responses

from core.clock import SystemClock
from providers.contracts import BadReply, Down, KeyRejected, Outcome, ProviderError
from providers.http import USER_AGENT, VERSION, GuardedAdapter, Http, HttpReply, refuse_unsafe

KEY = "canary-key-5f2c"
HEADERS = {"Authorization": f"Bearer {KEY}"}
Script = Callable[[socket.socket], None]


class Wire:
    """A loopback server that lets a script answer each request byte by byte. `requests` is what it was sent."""

    def __init__(self, script: Script, keep_alive: bool = False) -> None:
        self.requests: list[str] = []
        self.connections = 0
        self._script, self._keep_alive = script, keep_alive
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1/chat?secret={KEY}"
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


@pytest.fixture
def wire() -> Iterator[Callable[..., Wire]]:
    opened: list[Wire] = []

    def open_wire(script: Script, keep_alive: bool = False) -> Wire:
        opened.append(Wire(script, keep_alive))
        return opened[-1]

    yield open_wire
    for each in opened:
        each.close()


@pytest.fixture
def http() -> Iterator[Http]:
    door = Http(SystemClock())
    yield door
    door.close()


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


def failure(http: Http, url: str, timeout: float = 5.0) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        http.post_json(url, HEADERS, {"prompt": "canary-body"}, timeout)
    error = caught.value
    assert error.__suppress_context__ or error.__context__ is None
    for secret in (KEY, "canary-body", "secret=", "Authorization"):
        assert secret not in str(error)
    return error


def test_a_good_answer_arrives_with_lower_case_headers_and_our_own_user_agent(
    http: Http, wire: Callable[..., Wire]
) -> None:
    server = wire(sends(answer(b'{"ok": true}', "X-Left: 7")))
    reply = http.post_json(server.url, HEADERS, {"q": "hé"}, 5.0)
    assert (reply.status, reply.headers["x-left"], reply.json()) == (200, "7", {"ok": True})
    head, _, body = server.requests[0].partition("\r\n\r\n")
    assert f"User-Agent: {USER_AGENT}" in head
    assert "Accept-Encoding: identity" in head
    assert f"Authorization: Bearer {KEY}" in head
    assert json.loads(body) == {"q": "hé"}


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION


@pytest.mark.parametrize("status", ["400 Bad", "401 No", "429 Busy", "500 Oops", "529 Full"])
def test_an_error_status_is_an_answer_not_an_exception(http: Http, wire: Callable[..., Wire], status: str) -> None:
    server = wire(sends(answer(b'{"error": "x"}', status=status)))
    assert http.post_json(server.url, HEADERS, {}, 5.0).status == int(status[:3])


GOOD_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
MATRIX: dict[str, tuple[Script, Outcome]] = {
    "first byte never": (stalls(b""), "no_reply"),
    "headers stall": (stalls(b"HTTP/1.1 200 OK\r\nContent-"), "no_reply"),
    "headers drip": (drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"), "no_reply"),
    "body stalls": (stalls(GOOD_HEAD + b"{"), "no_reply"),
    "body drips": (drips(GOOD_HEAD, b" "), "no_reply"),
    "chunks drip": (drips(CHUNKED, b"1\r\n \r\n"), "no_reply"),
    "cut before anything": (lambda sock: None, "no_reply"),
    "cut in the body": (sends(GOOD_HEAD + b"{"), "no_reply"),
    "cut between chunks": (sends(CHUNKED + b"1\r\n \r\n"), "no_reply"),
    "broken chunk": (sends(CHUNKED + b"zz\r\n \r\n"), "no_reply"),
    "not HTTP": (sends(b"SSH-2.0-OpenSSH_9\r\n\r\n"), "no_reply"),
    "150 headers": (sends(answer(b"{}", *(f"X-{n}: 1" for n in range(150)))), "no_reply"),
    "2 MB": (sends(answer(b" " * 2_000_000)), "no_reply"),
    "gzip bomb": (sends(answer(gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip")), "no_reply"),
    "broken gzip": (sends(answer(b"not gzip at all", "Content-Encoding: gzip")), "no_reply"),
}


@pytest.mark.parametrize("name", MATRIX)
def test_fault_matrix(http: Http, wire: Callable[..., Wire], name: str) -> None:
    script, outcome = MATRIX[name]
    server = wire(script)
    began = time.monotonic()
    error = failure(http, server.url, timeout=0.5)
    assert isinstance(error, Down)
    assert error.outcome == outcome
    assert "127.0.0.1" in str(error)
    assert time.monotonic() - began < 5.0  # the drips alone would take 8
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_the_key_stays_here(
    http: Http, wire: Callable[..., Wire], status: int
) -> None:
    thief = wire(sends(answer(b"{}")))
    server = wire(sends(answer(b"", f"Location: {thief.url}", status=f"{status} Moved")))
    error = failure(http, server.url)
    assert (type(error), error.outcome) == (Down, "rejected")
    assert thief.requests == []


def test_a_refused_connection_was_not_sent(http: Http) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert failure(http, f"http://127.0.0.1:{port}/").outcome == "not_sent"


def test_an_unknown_host_was_not_sent(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure(http, "https://nowhere.example/")
    assert error.outcome == "not_sent"
    assert str(error) == "nowhere.example: host name not found"


def test_tls_to_a_plain_port_was_not_sent(http: Http, wire: Callable[..., Wire]) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def plain() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.recv(4096)
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=plain)
    thread.start()
    error = failure(http, f"https://127.0.0.1:{listener.getsockname()[1]}/")
    thread.join(5)
    listener.close()
    assert error.outcome == "not_sent"


def test_a_second_address_is_tried_within_the_same_budget(
    http: Http, wire: Callable[..., Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = wire(sends(answer(b"{}")))
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, server.port)) for ip in ("127.0.0.1", "127.0.0.99")]
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **k: rows if host == "two.example" else real(host, *a, **k)
    )
    assert http.post_json(f"http://two.example:{server.port}/", HEADERS, {}, 2.0).status == 200


@pytest.mark.parametrize("key", ["canary\n", "canary\r\nX-Evil: 1", "canary-ключ"])
def test_a_key_that_cannot_be_a_header_is_rejected_without_being_quoted(http: Http, key: str) -> None:
    with pytest.raises(KeyRejected) as caught:
        http.post_json("http://127.0.0.1:9/", {"Authorization": f"Bearer {key}"}, {}, 1.0)
    assert "canary" not in str(caught.value)
    assert caught.value.outcome == "not_sent"


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://host/", "http://", "http://[::1/", "http://a b/"])
def test_an_impossible_address_is_down(http: Http, url: str) -> None:
    assert isinstance(failure(http, url), Down)


def test_no_time_left_is_not_sent(http: Http) -> None:
    assert failure(http, "http://127.0.0.1:9/", timeout=0.0).outcome == "not_sent"


def test_connections_are_kept_even_across_threads(http: Http, wire: Callable[..., Wire]) -> None:
    server = wire(sends(answer(b"{}")), keep_alive=True)
    for _ in range(3):
        thread = threading.Thread(target=http.post_json, args=(server.url, HEADERS, {}, 5.0))
        thread.start()
        thread.join(5)
    assert (len(server.requests), server.connections) == (3, 1)


def test_proxies_and_netrc_of_the_environment_are_ignored(
    http: Http, wire: Callable[..., Wire], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password thief\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    server = wire(sends(answer(b"{}")))
    assert http.post_json(server.url, HEADERS, {}, 5.0).status == 200
    assert f"Authorization: Bearer {KEY}" in server.requests[0]


class StepClock:
    """Each look at the clock takes `step` seconds."""

    def __init__(self, step: float) -> None:
        self._step, self._at = step, 0.0

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        self._at += self._step
        return self._at


@responses.activate
def test_the_guard_works_where_the_transport_is_replaced() -> None:
    responses.post("https://api.example/", json={"ok": 1})
    responses.post("https://api.example/moved", status=302, headers={"Location": "https://thief.example/"})
    responses.post("https://api.example/slow", body=requests.ReadTimeout())
    responses.post("https://api.example/unreachable", body=requests.ConnectTimeout())
    http = Http(SystemClock())
    assert http.post_json("https://api.example/", {}, {}, 5.0).json() == {"ok": 1}
    assert failure(http, "https://api.example/moved").outcome == "rejected"
    assert failure(http, "https://api.example/slow").outcome == "no_reply"
    assert failure(http, "https://api.example/unreachable").outcome == "not_sent"
    assert failure(http, "https://unknown.example/").outcome == "no_reply"
    late = Http(StepClock(10.0))
    assert "no complete answer within 5 s" in str(failure(late, "https://api.example/"))


@responses.activate
def test_the_adapter_guards_a_session_that_is_not_ours() -> None:
    responses.post("https://api.example/", body="x" * 3_000_000)
    responses.get("https://api.example/", json=[1])
    session = requests.Session()
    session.mount("https://", GuardedAdapter(SystemClock()))
    assert session.get("https://api.example/", timeout=(1, 5)).json() == [1]
    assert session.get("https://api.example/").json() == [1]
    with pytest.raises(Down, match="larger than 1 MB"):
        session.post("https://api.example/", timeout=5)


EVENTS = b": hello\n\ndata: one\r\n\r\nevent: x\nid: 3\ndata:two\n\n\n: keep-alive\n\ndata: t\xc3\xa9n\n\n"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def test_a_stream_yields_data_lines_only(http: Http, wire: Callable[..., Wire]) -> None:
    server = wire(sends(STREAM_HEAD + EVENTS + b"data: [DONE]"))
    with http.open_stream(server.url, HEADERS, {}, 5.0) as stream:
        assert list(stream.events()) == ["one", "two", "tén", "[DONE]"]


def test_a_streams_events_come_before_it_ends(http: Http, wire: Callable[..., Wire]) -> None:
    server = wire(stalls(STREAM_HEAD + EVENTS))
    with http.open_stream(server.url, HEADERS, {}, 5.0) as stream:
        assert next(stream.events()) == "one"


@pytest.mark.parametrize(
    "script", [drips(STREAM_HEAD, b": keep-alive\n\n"), stalls(STREAM_HEAD), drips(b"", b"H")]
)
def test_a_stream_obeys_the_deadline(http: Http, wire: Callable[..., Wire], script: Script) -> None:
    server = wire(script)
    with (
        pytest.raises(Down, match="within 0.4 s") as caught,
        http.open_stream(server.url, HEADERS, {}, 0.4) as stream,
    ):
        list(stream.events())
    assert caught.value.outcome == "no_reply"


def test_a_stream_obeys_the_cap(http: Http, wire: Callable[..., Wire]) -> None:
    server = wire(sends(STREAM_HEAD + b"data: x\n\n" * 200_000))
    with pytest.raises(Down, match="1 MB"), http.open_stream(server.url, HEADERS, {}, 5.0) as stream:
        list(stream.events())


def test_closing_a_stream_closes_the_connection(http: Http, wire: Callable[..., Wire]) -> None:
    gone = threading.Event()

    def script(sock: socket.socket) -> None:
        sock.sendall(STREAM_HEAD + EVENTS)
        if sock.recv(1) == b"":
            gone.set()

    server = wire(script)
    with http.open_stream(server.url, HEADERS, {}, 30.0) as stream:
        events = stream.events()
        next(events)
        events.close()  # type: ignore[attr-defined]
        assert gone.wait(5)


BAD_JSON = ["", "nope", "{", '{"a": NaN}', "[Infinity]", "[1e999]", "[" * 200_000, "9" * 5000, '"\\', "<html>"]


@pytest.mark.parametrize("text", BAD_JSON)
def test_json_is_parsed_safely(text: str) -> None:
    with pytest.raises(BadReply) as caught:
        HttpReply(200, {}, text).json("here")
    assert str(caught.value) == "here: the answer is not valid JSON"


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert HttpReply(200, {}, '\ufeff{"a": 1}').json() == {"a": 1}


UNSAFE = [
    "http://api.example.com/v1",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://app.localhost/",
    "https://10.1.2.3/",
    "https://192.168.1.1:8443/",
    "https://169.254.169.254/latest",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[fe80::1%25eth0]/",
    "https://[fd00::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[2002:7f00:1::]/",
    "https://[64:ff9b::7f00:1]/",
    "https://user:canary-pass@1.1.1.1/",
]


@pytest.mark.parametrize("url", UNSAFE)
def test_unsafe_addresses_are_refused_with_the_remedy(url: str) -> None:
    with pytest.raises(ValueError, match="ALLOW_LOCAL_UPSTREAMS=1") as caught:
        refuse_unsafe(url, allow_local=False)
    assert "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)
    refuse_unsafe(url, allow_local=True)


@pytest.mark.parametrize(
    "url", ["", "https://", "file:///etc/passwd", "api.example.com", "https://[::1", "https:///x"]
)
@pytest.mark.parametrize("allow_local", [True, False])
def test_what_is_no_http_address_is_always_refused(url: str, allow_local: bool) -> None:
    with pytest.raises(ValueError, match="https://host/path"):
        refuse_unsafe(url, allow_local)


def test_a_name_is_judged_by_where_it_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"inside.example": "10.0.0.7", "outside.example": "1.1.1.1"}

    def look_up(host: str, *_: object) -> list[tuple[object, ...]]:
        if host not in found:
            raise socket.gaierror("unknown")
        return [(0, 0, 0, "", ("1.0.0.1", 0)), (0, 0, 0, "", (found[host], 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(ValueError, match="private"):
        refuse_unsafe("https://inside.example/v1", allow_local=False)
    refuse_unsafe("https://outside.example/v1", allow_local=False)
    refuse_unsafe("https://unknown.example/v1", allow_local=False)
