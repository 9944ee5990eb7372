"""Files of a real web server on loopback: what changed is fetched again, what did not is not, and what no file is."""

from __future__ import annotations

import functools
import io
import os
import threading
import time
import zipfile
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.adapters.sources.remote import local_copy
from autodc.adapters.sources.urls import named_path, normal
from autodc.data.source import SourceRequest
from autodc.errors import SurroundingsError

LONG_AGO = 1_600_000_000


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def serve() -> Iterator[Any]:
    """Start servers; each answers with its address, and all are closed at the end."""
    servers = []

    def starts(handler: Any) -> Any:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return server

    yield starts
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def site(tmp_path: Path, serve: Any) -> Any:
    """A plain server of files, which tells their size and the second of their last change."""
    root = tmp_path / "site"
    root.mkdir()
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            asked.append(self.command)

    server = serve(functools.partial(Handler, directory=str(root)))

    class Site:
        address = f"http://127.0.0.1:{server.server_port}"
        requests = asked

        @staticmethod
        def put(name: Any, content: Any, changed: Any = LONG_AGO) -> None:
            (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
            if changed is not None:
                os.utime(root / name, (changed, changed))

        @staticmethod
        def close() -> None:
            server.shutdown()
            server.server_close()

    return Site


@pytest.fixture
def answers(serve: Any) -> Any:
    """A server that answers all that is asked with what stands in `reply`: a status, headers, a body."""
    reply = {"status": 200, "headers": {}, "body": b""}
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.command)
            self.send_response_only(reply["status"])
            for key, value in {"Content-Length": len(reply["body"]), **reply["headers"]}.items():
                self.send_header(key, str(value))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(reply["body"])

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *arguments: Any) -> None:
            pass

    server = serve(Handler)
    reply["url"] = f"http://127.0.0.1:{server.server_port}"
    reply["asked"] = asked
    return reply


def table(labels: Any) -> Any:
    return pd.DataFrame({"a": range(len(labels)), "target": labels}).to_csv(index=False)


def test_a_file_is_fetched_once_and_again_when_it_has_changed(site: Any, read: Any) -> None:
    url = f"{site.address}/night.csv"
    site.put("night.csv", table([0, 1, 0]))
    assert read(url).y.tolist() == [0, 1, 0]
    assert read(url).y.tolist() == [0, 1, 0]
    assert site.requests.count("GET") == 1
    site.put("night.csv", table([0, 1, 0, 1]))
    assert len(read(url)) == 4
    site.put("night.csv", table([1, 0, 1, 0]), LONG_AGO + 1)
    assert read(url).y.tolist() == [1, 0, 1, 0]


def test_a_change_within_the_second_and_of_the_same_size_is_seen(site: Any, read: Any) -> None:
    site.put("night.csv", table([0, 1, 0]), changed=None)
    assert read(f"{site.address}/night.csv").y.tolist() == [0, 1, 0]
    site.put("night.csv", table([1, 0, 1]), changed=None)
    assert read(f"{site.address}/night.csv").y.tolist() == [1, 0, 1]


def test_a_tag_tells_versions_apart(answers: Any, read: Any) -> None:
    url = f"{answers['url']}/night.csv"
    answers.update(body=table([0, 1, 0]).encode(), headers={"ETag": '"one"'})
    assert read(url).y.tolist() == read(url).y.tolist() == [0, 1, 0]
    assert answers["asked"].count("GET") == 1
    answers.update(body=table([1, 0, 1]).encode(), headers={"ETag": '"two"'})
    assert read(url).y.tolist() == [1, 0, 1]


def test_a_server_that_tells_nothing_is_asked_for_the_file_each_time(answers: Any, read: Any, cache: Any) -> None:
    url = f"{answers['url']}/night.csv"
    for labels in ([0, 1, 0], [1, 0, 1], [1, 1, 0]):
        answers["body"] = table(labels).encode()
        assert read(url).y.tolist() == labels
    assert len(list(cache.rglob("*.csv"))) == 1


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><form>log in</form>", b'{"error": "rate limit"}'])
@pytest.mark.parametrize("name", ["night.csv", "night.npz", "night.parquet"])
def test_a_login_page_is_told_and_forgotten(
    answers: Any, read: Any, refused: Any, cache: Any, name: Any, page: Any
) -> None:
    url = f"{answers['url']}/{name}"
    answers.update(body=page, headers={"Content-Type": "text/html", "ETag": '"same"'})
    assert name in str(refused(url))
    assert not [path for path in cache.rglob("*") if path.is_file()]
    content = io.BytesIO()
    frame = pd.DataFrame({"a": [1.0, 2.0], "target": [0, 1]})
    if name.endswith(".npz"):
        np.savez(content, x=frame[["a"]], y=frame["target"])
    else:
        frame.to_csv(content, index=False) if name.endswith(".csv") else frame.to_parquet(content)
    answers["body"] = content.getvalue()
    assert np.asarray(read(url).x).tolist() == [[1], [2]]


def test_a_server_that_went_away_leaves_the_last_copy_and_a_word(site: Any, read: Any) -> None:
    site.put("night.csv", table([0, 1, 0]))
    first = read(f"{site.address}/night.csv")
    assert first.notes == ()
    site.close()
    again = read(f"{site.address}/night.csv")
    assert again.fingerprint == first.fingerprint
    assert "does not answer" in again.notes[0]
    assert "the copy fetched on 20" in again.notes[0]
    with pytest.raises(SurroundingsError, match="cannot be fetched") as caught:
        read(f"{site.address}/other.csv")
    assert caught.value.code == "ADC-DATA-040"


@pytest.mark.parametrize(("status", "code"), [(404, "ADC-DATA-001"), (410, "ADC-DATA-001")])
def test_what_is_gone_is_gone(answers: Any, refused: Any, status: Any, code: Any) -> None:
    answers["status"] = status
    assert refused(f"{answers['url']}/night.csv").code == code


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_server_that_refuses_is_no_fault_of_the_input(answers: Any, read: Any, status: Any) -> None:
    answers["status"] = status
    with pytest.raises(SurroundingsError, match=str(status)):
        read(f"{answers['url']}/night.csv")


@pytest.mark.parametrize(
    "end",
    [
        "/night.csv?download=1",
        "/night.csv?name=x.npz",
        "/night.csv?X-Amz-Signature=ab/cd.parquet&e=1",
        "/night.csv#rows",
        "/night.csv?a=1#rows.npz",
        "/night%2Ecsv",
    ],
)
def test_the_suffix_of_the_path_counts(site: Any, read: Any, end: Any) -> None:
    site.put("night.csv", table([0, 1, 0]))
    assert len(read(site.address + end)) == 3
    assert len(read(site.address.replace("http", "HTTP") + end)) == 3


def test_a_suffix_in_the_query_helps_where_the_path_has_none(answers: Any, read: Any) -> None:
    answers["body"] = table([0, 1, 0]).encode()
    assert len(read(f"{answers['url']}/get?file=night.csv")) == 3
    content = io.BytesIO()
    pd.DataFrame({"a": [1.0, 2.0], "target": [0, 1]}).to_parquet(content)
    answers["body"] = content.getvalue()
    assert np.asarray(read(f"{answers['url']}/get?file=night.parquet").x).tolist() == [[1], [2]]


def test_queries_are_part_of_what_is_asked_for(answers: Any, read: Any) -> None:
    answers.update(body=table([0, 1, 0]).encode(), headers={"ETag": '"same"'})
    assert len(read(f"{answers['url']}/night.csv?part=1")) == 3
    answers["body"] = table([0, 1]).encode()
    assert len(read(f"{answers['url']}/night.csv?part=2")) == 2


@pytest.mark.parametrize("chain", ["simplecache", "filecache", "blockcache"])
def test_caches_of_fsspec_do_not_hide_a_change(site: Any, read: Any, chain: Any) -> None:
    url = f"{chain}::{site.address}/night.csv?v=1"
    for labels in ([0, 1, 0], [1, 0, 1, 0]):
        site.put("night.csv", table(labels))
        assert read(url).y.tolist() == labels


def packed(labels: Any) -> Any:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("deep/night.csv", table(labels))
    return content.getvalue()


def test_a_file_of_an_archive_on_the_web(site: Any, read: Any, refused: Any) -> None:
    url = f"zip://deep/night.csv::{site.address}/all.zip?v=1"
    for labels in ([0, 1, 0], [1, 0, 1, 0]):
        site.put("all.zip", packed(labels))
        assert read(url).y.tolist() == labels
    assert refused(f"zip://none.csv::{site.address}/all.zip").code == "ADC-DATA-001"
    site.put("all.zip", b"no archive")
    assert refused(url).code == "ADC-DATA-002"


@pytest.mark.slow
def test_a_file_of_an_archive_is_told_from_the_last_by_its_content_alone(site: Any, read: Any, cache: Any) -> None:
    url = f"zip://deep/night.csv::{site.address}/all.zip"
    site.put("all.zip", packed([0, 1, 0]))
    for _ in range(3):
        assert read(url).y.tolist() == [0, 1, 0]
    assert site.requests.count("GET") == 1
    assert len(list(cache.rglob("*.csv"))) == 1
    for labels in ([1, 0, 1], [0, 1, 0], [1, 1, 0]) * 5:
        site.put("all.zip", packed(labels), changed=None)
        assert read(url).y.tolist() == labels


def test_a_file_of_an_archive_on_this_machine_that_has_changed_within_the_second(tmp_path: Path, read: Any) -> None:
    for labels in ([0, 1, 0], [1, 0, 1], [1, 1, 0]):
        (tmp_path / "all.zip").write_bytes(packed(labels))
        os.utime(tmp_path / "all.zip", (int(time.time()),) * 2)
        assert read("zip://deep/night.csv::all.zip").y.tolist() == labels


def test_a_tag_made_of_the_second_and_the_size_hides_no_change(answers: Any, read: Any) -> None:
    url, now = f"{answers['url']}/night.csv", formatdate(usegmt=True)
    for labels in ([0, 1, 0], [1, 0, 1]):
        answers.update(body=table(labels).encode(), headers={"ETag": '"same"', "Last-Modified": now})
        assert read(url).y.tolist() == labels


def test_a_file_of_an_archive_beside_the_study_file(tmp_path: Path, read: Any) -> None:
    (tmp_path / "all.zip").write_bytes(packed([0, 1, 0]))
    assert len(read("zip://deep/night.csv::all.zip")) == 3
    assert len(read(f"ZIP://deep/night.csv::file://{tmp_path}/all.zip")) == 3


def test_compressed_tables_on_the_web(site: Any, read: Any) -> None:
    import gzip

    site.put("night.csv.gz", gzip.compress(table([0, 1, 0]).encode()))
    assert len(read(f"{site.address}/night.csv.gz?download=1")) == 3


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("HTTPS://Host/A.csv#x", "https://Host/A.csv"),
        ("simplecache::ZIP://A.csv::S3://b/k#1.zip", "zip://A.csv::s3://b/k#1.zip"),
        ("zip://a.csv::data/all.zip", "zip://a.csv::/study/data/all.zip"),
        ("zip://a.csv::/data/all.zip", "zip://a.csv::/data/all.zip"),
    ],
)
def test_one_spelling_of_a_url(url: Any, same: Any) -> None:
    assert normal(url, "/study") == same


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://h/a/n.csv?x=1.npz", "h/a/n.csv"),
        ("s3://b/what?.csv", "b/what?.csv"),
        ("zip://n.csv::https://h/a.zip?x", "n.csv"),
    ],
)
def test_the_path_of_a_url(url: Any, path: Any) -> None:
    assert named_path(url) == path


def test_of_each_url_the_newest_copy_alone_is_kept(answers: Any, read: Any, cache: Any) -> None:
    for name in ("night", "day"):
        for version, labels in (("one", [0, 1, 0]), ("two", [1, 0, 1]), ("three", [1, 1, 0])):
            answers.update(body=table(labels).encode(), headers={"ETag": f'"{version}"'})
            assert read(f"{answers['url']}/{name}.csv").y.tolist() == labels
            for copy in cache.rglob("*.csv"):
                os.utime(copy, (LONG_AGO, LONG_AGO))
    assert len(list(cache.rglob("*.csv"))) == 2


def test_a_copy_that_another_study_turned_to_is_not_taken_away(answers: Any, read: Any, cache: Any) -> None:
    def fetched(version: str, labels: list[int]) -> None:
        answers.update(body=table(labels).encode(), headers={"ETag": f'"{version}"'})
        assert read(f"{answers['url']}/night.csv").y.tolist() == labels

    fetched("one", [0, 1, 0])
    (copy,) = cache.rglob("*.csv")
    os.utime(copy, (LONG_AGO, LONG_AGO))
    fetched("one", [0, 1, 0])
    assert copy.stat().st_mtime == LONG_AGO, "when it was fetched"
    fetched("two", [1, 0, 1])
    assert copy.is_file()


def test_copies_of_another_kind_of_one_url_stay(answers: Any) -> None:
    answers.update(body=b"a,target\n1,0\n", headers={"ETag": '"one"'})
    request = SourceRequest(path=f"{answers['url']}/night", name="night", place="data.base", kind="classification")
    plain = local_copy(request, ".csv").kept[0]
    os.utime(plain, (LONG_AGO, LONG_AGO))
    other = local_copy(request, ".tsv").kept[0]
    assert (Path(plain).is_file(), Path(other).is_file()) == (True, True)
    answers.update(status=503)
    assert local_copy(request, ".csv").request.path == plain
