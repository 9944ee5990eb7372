"""A small web server for one person's eyes: GET and HEAD, nothing without a token, no file of the disk.

Who may look has the address with the token, that the command prints. A browser is given a cookie for it, so that the
token stands in no later address; the cookie goes to this site alone. The Host header must name what was asked for:
a page of somebody else's that points its own name at this machine (DNS rebinding) is refused.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, final
from urllib.parse import parse_qs, urlsplit

from autodc.errors import InputError

LOOPBACK = "127.0.0.1"
TOKEN_BYTES = 32
PATIENCE = 20.0
"""Seconds that a browser may take for its request."""
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_ENTER = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>autodc</title>
<meta http-equiv="refresh" content="0;url=/"><a href="/">go on</a></html>
"""
"""What moves on from the address with the token. A redirect would not do: after a click on a link elsewhere a browser
sends no cookie of SameSite=Strict along with it."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a path holds."""

    body: bytes
    kind: str
    """MIME type."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Beside or instead of those that every answer has."""


Site = Callable[[str], Content | None]
"""A path, as in `/status.json`, → what it holds; None where there is nothing. It is called from several threads."""


@contextmanager
def served(site: Site, host: str = LOOPBACK, port: int = 0) -> Iterator[str]:
    """Serve a site in threads inside the block; gives its address with the token. port: 0 for any that is free.

    Raises InputError ADC-SERVE-001 where the address cannot be listened on.
    """
    try:
        server = _Server(site, host, port)
    except (OSError, OverflowError) as error:
        hint = "leave --port out for any that is free; --host is an address of this machine"
        raise InputError(
            "ADC-SERVE-001", "this address cannot be listened on", f"{host}:{port}", str(error), hint
        ) from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="web", daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@final
class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, site: Site, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)
        self.site, self.host = site, host
        self.token, self.pass_ = secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES)
        self.cookie = f"autodc-{self.server_port}"  # a browser keeps those of all ports of a machine together

    @property
    def url(self) -> str:
        """With the token; of a server that listens everywhere as this machine is called."""
        anywhere = self.host in ("", "0.0.0.0", "::")
        name = socket.gethostname() if anywhere else f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{name}:{self.server_port}/?token={self.token}"

    def serves(self, hosts: list[str]) -> bool:
        """Whether a request is meant for this server, by its Host headers. A port may be another: of a tunnel."""
        if len(hosts) != 1:
            return False
        try:
            name = urlsplit(f"//{hosts[0]}").hostname or ""
        except ValueError:
            return False
        if is_loopback(name):
            return True
        if is_loopback(self.host):
            return False
        try:
            return bool(ipaddress.ip_address(name))
        except ValueError:  # a name: ours, or one that somebody else points here
            return name in (self.host.lower(), socket.gethostname().lower())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away is no error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@final
class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = PATIENCE
    _own: Mapping[str, str] = {}

    def do_GET(self) -> None:
        """Answer with what the path holds, to who may look."""
        if not self.server.serves(self.headers.get_all("Host") or []):
            return self._refuse(HTTPStatus.FORBIDDEN, "this server does not go by that name")
        try:
            asked = urlsplit(self.path)
            token = parse_qs(asked.query, max_num_fields=8).get("token", [""])[0]
        except ValueError:
            return self._refuse(HTTPStatus.BAD_REQUEST, "this is no address")
        if asked.netloc or not asked.path.startswith("/"):
            return self._refuse(HTTPStatus.BAD_REQUEST, "this is no address")
        invited = _same(token, self.server.token)
        if not (invited or _same(self._cookie(), self.server.pass_)):
            return self._refuse(HTTPStatus.FORBIDDEN, "open the address that `autodc serve` printed: it has the token")
        if invited and asked.path == "/":
            cookie = f"{self.server.cookie}={self.server.pass_}; HttpOnly; SameSite=Strict; Path=/"
            return self._send(HTTPStatus.OK, Content(body=_ENTER, kind="text/html", headers={"Set-Cookie": cookie}))
        found = self.server.site(asked.path)
        if found is None:
            return self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")
        return self._send(HTTPStatus.OK, found)

    do_HEAD = do_GET  # noqa: N815

    def _not_allowed(self) -> None:
        self._own = {"Allow": "GET, HEAD"}
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD are answered")

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_CONNECT = _not_allowed  # noqa: N815

    def end_headers(self) -> None:
        """Every answer has these, also one that http.server gives by itself."""
        for name, value in (HEADERS | dict(self._own)).items():
            self.send_header(name, value)
        super().end_headers()

    def version_string(self) -> str:
        """No version is told."""
        return "autodc"

    def log_message(self, *_: object) -> None:
        """Nothing is logged: addresses hold the token."""

    def _cookie(self) -> str:
        pairs = (one.strip().partition("=") for one in self.headers.get("Cookie", "").split(";"))
        return next((value for name, _, value in pairs if name == self.server.cookie), "")

    def _refuse(self, status: HTTPStatus, words: str) -> None:
        self._send(status, Content(body=f"{words}\n".encode(), kind="text/plain", headers=self._own))

    def _send(self, status: HTTPStatus, content: Content) -> None:
        self._own = content.headers
        self.send_response(status)
        self.send_header("Content-Type", f"{content.kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content.body)


def _same(given: str, known: str) -> bool:
    """Compare in a time that does not tell how much of it is right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), known.encode())
