"""Requests to `autodc serve` from who has no token: nothing is told, and the server goes on."""

from __future__ import annotations

import atexit
import contextlib
import functools
import http.client
import socket
from pathlib import Path
from urllib.parse import urlsplit

from hypothesis import strategies as st

from autodc.verbs.serve import serving
from benchmarks.hostile.command import finished
from benchmarks.hostile.texts import hostile

SECRETS = (b"lamps", b"trainings")
"""Words of the study."""
methods = st.sampled_from(("GET", "HEAD", "POST", "PUT", "TRACE", "CONNECT", "OPTIONS", "get", "")) | hostile
paths = st.sampled_from(
    (
        "/",
        "/report",
        "/status.json",
        "//report",
        "/?token=",
        "/?token=a&token=b",
        "http://e.example/",
        "*",
        "/..%2f..",
        "/%00",
    )
) | hostile.map("/{}".format)
hosts = (
    st.sampled_from(("127.0.0.1", "localhost", "e.example", "", "127.0.0.1:99999", "[::1", "[::1]", "a@127.0.0.1"))
    | hostile
)
lines = st.lists(
    st.tuples(st.sampled_from(("Cookie", "Host", "Content-Length", "Transfer-Encoding", "X")) | hostile, hostile),
    max_size=3,
)
requests = st.builds(
    lambda method, path, version, host, more: "\r\n".join(
        (f"{method} {path} {version}", f"Host: {host}", *(f"{a}: {b}" for a, b in more), "", "")
    ).encode("utf-8", "replace"),
    methods, paths, st.sampled_from(("HTTP/1.1", "HTTP/1.0", "HTTP/9.9", "", "HTTP/1.1 x")), hosts, lines,
)  # fmt: skip
cases = (
    requests
    | st.binary(max_size=200)
    | st.integers(1, 70_000).map(lambda n: b"GET /" + b"a" * n + b" HTTP/1.1\r\n\r\n")
)


@functools.cache
def _address() -> tuple[str, int]:
    open_to_the_end = contextlib.ExitStack()
    atexit.register(open_to_the_end.close)
    url = urlsplit(open_to_the_end.enter_context(serving(finished())))
    return str(url.hostname), int(url.port or 0)


def check(case: bytes, folder: Path) -> str:
    """The answer has no word of the study, and whoever asks next is answered."""
    with socket.create_connection(_address(), timeout=10) as connection:
        connection.sendall(case)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except ConnectionResetError:
            pass
    assert not any(word in answer for word in SECRETS), answer
    after = http.client.HTTPConnection(*_address(), timeout=10)
    after.request("GET", "/report")
    assert after.getresponse().status == 403
    after.close()
    return answer[:12].decode("ascii") if answer.startswith(b"HTTP/") else "a page without headers (HTTP/0.9)"
