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
from providers.errors import BadReply, Down, KeyRejected, Outcome, ProviderError
from providers.http import USER_AGENT, VERSION, GuardedAdapter, Http, HttpReply
from tests.wire import Script, Wire, answer, drips, sends, stalls

KEY = "canary-key-5f2c"
HEADERS = {"Authorization": f"Bearer {KEY}"}


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
    door = Http(SystemClock(), private=True)
    yield door
    door.close()


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


def test_tls_to_a_plain_port_was_not_sent(http: Http) -> None:
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


def test_a_long_request_on_a_kept_connection_is_sent_whole(http: Http, wire: Callable[..., Wire]) -> None:
    """Far more than the socket takes at once, after an answer for which it was made not to block."""
    server = wire(sends(answer(b"{}")), keep_alive=True)
    http.post_json(server.url, HEADERS, {}, 5.0)
    assert http.post_json(server.url, HEADERS, {"q": "x" * 16_000_000}, 20.0).status == 200
    assert (len(server.requests), server.connections) == (2, 1)


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
    http = Http(SystemClock(), private=True)
    assert http.post_json("https://api.example/", {}, {}, 5.0).json() == {"ok": 1}
    assert failure(http, "https://api.example/moved").outcome == "rejected"
    assert failure(http, "https://api.example/slow").outcome == "no_reply"
    assert failure(http, "https://api.example/unreachable").outcome == "not_sent"
    assert failure(http, "https://unknown.example/").outcome == "no_reply"
    late = Http(StepClock(10.0), private=True)
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


BAD_JSON = ["", "nope", "{", '{"a": NaN}', "[Infinity]", "[1e999]", "[" * 200_000, "9" * 5000, '"\\', "<html>"]


@pytest.mark.parametrize("text", BAD_JSON)
def test_json_is_parsed_safely(text: str) -> None:
    with pytest.raises(BadReply) as caught:
        HttpReply(200, {}, text).json("here")
    assert str(caught.value) == "here: the answer is not valid JSON"


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert HttpReply(200, {}, '\ufeff{"a": 1}').json() == {"a": 1}
