"""A bad line to a server: some requests get an error 500, of others the server does what is asked without a reply."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from autodc.testing.waiting import PATIENCE

HOP = {"connection", "content-length", "transfer-encoding", "keep-alive"}
"""Headers that concern one leg of the way."""


class Line(ThreadingHTTPServer):
    """Listens at a port and hands on to another one. did: how often it did what."""

    daemon_threads = True

    def __init__(self, port: int, server: int, fails: int, loses: int) -> None:
        super().__init__(("127.0.0.1", port), Leg)
        self.server_at, self.fails, self.loses = server, fails, loses
        self.did: Counter[str] = Counter()
        self.lock = threading.Lock()

    def fate(self) -> str:
        """What becomes of the next request."""
        with self.lock:
            number = self.did.total()
            fate = "failed" if number % self.fails == self.fails - 1 else "handed on"
            fate = "lost" if number % self.loses == self.loses - 1 else fate
            self.did[fate] += 1
        return fate


class Leg(BaseHTTPRequestHandler):
    """One request."""

    server: Line

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def hand_on(self) -> None:
        fate = self.server.fate()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fate == "failed":
            self.send_error(500)
            return
        line = http.client.HTTPConnection("127.0.0.1", self.server.server_at, timeout=PATIENCE)
        line.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k.lower() not in HOP})
        reply = line.getresponse()
        content = reply.read()
        if fate == "lost":
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = hand_on  # noqa: N815


@contextlib.contextmanager
def bad_line(port: int, server: int, fails: int = 9, loses: int = 11) -> Iterator[Line]:
    """A line from a port to a server's: every so manyth request fails, or its reply is lost."""
    line = Line(port, server, fails, loses)
    threading.Thread(target=line.serve_forever, daemon=True).start()
    try:
        yield line
    finally:
        line.shutdown()
        line.server_close()
