"""The web server, asked by real requests: who may look, what is answered, and that nothing else is."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from autodc.adapters.web import Content, is_loopback, served
from autodc.errors import InputError
from autodc.testing.waiting import PATIENCE

PAGE = Content(body=b"the page", kind="text/html", headers={"X-Frame-Options": "SAMEORIGIN"})


class Told(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Asked:
    """Asks a served site."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.port, self.token = parts.port, parse_qs(parts.query)["token"][0]

    def __call__(self, path: str, method: str = "GET", **headers: str) -> Told:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        line.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            line.putheader(name, value)
        line.endheaders()
        answer = line.getresponse()
        told = Told(answer.status, answer.headers, answer.read())
        line.close()
        return told


@pytest.fixture(scope="module")
def ask() -> Iterator[Asked]:
    with served({"/": PAGE, "/status.json": Content(body=b"{}", kind="application/json")}.get) as url:
        assert url.startswith("http://127.0.0.1:")
        yield Asked(url)


@pytest.fixture(scope="module")
def cookie(ask: Asked) -> str:
    told = ask(f"/?token={ask.token}")
    assert (told.status, told.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    value, *attributes = told.headers["Set-Cookie"].split("; ")
    assert set(attributes) == {"HttpOnly", "SameSite=Strict", "Path=/"}
    assert ask.token not in value
    return value


def test_the_token_is_long_and_lets_in_and_the_cookie_after_it(ask: Asked, cookie: str) -> None:
    assert len(ask.token) >= 43
    assert ask("/", Cookie=f"other=1; {cookie}").body == b"the page"
    assert ask(f"/status.json?token={ask.token}").body == b"{}"


@pytest.mark.parametrize("token", ["", "wrong", "%C3%A9", "%00", "x" * 5000])
def test_without_the_right_token_nothing_is_told(ask: Asked, token: str) -> None:
    for path in ("/", "/status.json", "/nowhere"):
        told = ask(f"{path}?token={token}")
        assert (told.status, "Set-Cookie" in told.headers) == (403, False)
        assert b"{}" not in told.body


def test_the_cookie_of_another_server_or_a_part_of_it_lets_nobody_in(ask: Asked, cookie: str) -> None:
    name, _, value = cookie.partition("=")
    for wrong in (f"{name}={value[:-1]}", f"{name}=", f"{name}x={value}", f"{name}={ask.token}", ";=;;"):
        assert ask("/", Cookie=wrong).status == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.7", "", "[::"])
def test_a_name_that_somebody_else_points_here_is_refused(ask: Asked, cookie: str, host: str) -> None:
    assert ask("/", Host=host, Cookie=cookie).status == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:9999", "127.0.0.1:1", "[::1]:80", "LOCALHOST"])
def test_names_of_this_machine_are_served_also_through_a_tunnel(ask: Asked, cookie: str, host: str) -> None:
    assert ask("/", Host=host, Cookie=cookie).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_but_reading_is_answered(ask: Asked, cookie: str, method: str) -> None:
    told = ask("/", method, Cookie=cookie)
    assert (told.status, told.headers["Allow"]) == (405, "GET, HEAD")


def test_head_is_get_without_its_body(ask: Asked, cookie: str) -> None:
    told, whole = ask("/", "HEAD", Cookie=cookie), ask("/", Cookie=cookie)
    assert (told.status, told.body) == (200, b"")
    assert told.headers["Content-Length"] == str(len(whole.body)) == "8"


@pytest.mark.parametrize(
    "path", ["/../etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd", "/status.json/..", "http://evil.example/", "*"]
)
def test_no_path_leads_to_a_file(ask: Asked, cookie: str, path: str) -> None:
    told = ask(path, Cookie=cookie)
    assert told.status in (400, 403, 404)
    assert b"root:" not in told.body


def test_every_answer_has_the_headers_that_guard_it(ask: Asked, cookie: str) -> None:
    page, refused, unknown = ask("/", Cookie=cookie), ask("/"), ask("/", "BREW", Cookie=cookie)
    for told in (page, refused, unknown):
        assert told.headers["X-Content-Type-Options"] == "nosniff"
        assert told.headers["Cache-Control"] == "no-store"
        assert told.headers["Referrer-Policy"] == "no-referrer"
        assert told.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Python" not in told.headers["Server"]
    assert (page.headers["X-Frame-Options"], refused.headers["X-Frame-Options"]) == ("SAMEORIGIN", "DENY")


def test_who_listens_everywhere_is_served_by_numbers_and_its_own_name_alone() -> None:
    with served({"/": PAGE}.get, "0.0.0.0") as url:
        ask = Asked(url)
        token = f"/?token={ask.token}"
        assert [ask(token, Host=host).status for host in ("192.168.0.7:80", "localhost")] == [200, 200]
        assert ask(token, Host="evil.example").status == 403
    assert not is_loopback("0.0.0.0")


def test_an_address_that_is_taken_or_not_ours_is_refused(ask: Asked) -> None:
    for host, port in (("127.0.0.1", ask.port or 0), ("192.0.2.1", 0), ("no such host", 0)):
        with pytest.raises(InputError, match="cannot be listened on"), served({}.get, host, port):
            pass
