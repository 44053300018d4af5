"""Which upstream addresses an operator may set."""

from __future__ import annotations

import socket

import pytest

from providers.addresses import refuse_unsafe

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

    def look_up(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        if host not in found:
            raise socket.gaierror("unknown")
        return [(0, 0, 0, "", ("1.0.0.1", 0)), (0, 0, 0, "", (found[host], 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(ValueError, match="private"):
        refuse_unsafe("https://inside.example/v1", allow_local=False)
    refuse_unsafe("https://outside.example/v1", allow_local=False)
    refuse_unsafe("https://unknown.example/v1", allow_local=False)
