"""Folders of studies in which a file is damaged, is another, or is no file: every verb tells it, none crashes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from pathlib import Path

from hypothesis import strategies as st

from autodc.study.journal.chain import START, seal
from autodc.testing.command import call
from benchmarks.hostile.command import finished
from benchmarks.hostile.target import CODE, TAKEN
from benchmarks.hostile.texts import hostile

FILES = (
    *["journal.sqlite"] * 4, "result.json", "control.json", "report/index.html", "summary.json", "journal.sqlite-wal",
    "journal.sqlite.lock", *["outcomes/*"] * 2, "models/*", "datasets/*", "requests/*",
)  # fmt: skip
VERBS = (
    "status",
    "status --json",
    "report",
    "why {} lamps",
    "compare {} FINISHED",
    "pause",
    "resume",
    "export {} --out {}/copy",
)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | hostile,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(hostile, one, max_size=3),
    max_leaves=5,
)

damages = st.one_of(
    st.tuples(st.just("flip"), st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=6)),
    st.tuples(st.just("cut"), st.floats(0, 1)),
    st.tuples(
        st.just("bytes"), st.binary(max_size=300) | st.sampled_from((b"{}", b"[]", b"null", b"{", b"\xff\xfe", b"NaN"))
    ),
    st.tuples(st.just("gone"), st.none()),
    st.tuples(st.just("folder"), st.none()),
    st.tuples(st.just("payload"), st.tuples(st.floats(0, 1), JSONS, st.booleans())),
    st.tuples(
        st.just("column"),
        st.tuples(st.floats(0, 1), st.sampled_from(("kind", "version", "position", "written")), hostile),
    ),
)
cases = st.tuples(st.sampled_from(FILES), damages, st.sampled_from(VERBS))


def check(case: tuple[str, tuple[str, object], str], folder: Path) -> str:
    """The verb ends with 0, 2, 3 or 4, and where not with 0 it says why with a code."""
    pattern, (how, what), verb = case
    run = folder / "out"
    shutil.copytree(finished(), run)
    for path in list(_found(run, pattern))[:3]:
        _damage(path, how, what)
    verb = verb.replace("FINISHED", str(finished()))
    words = verb.format(*[run] * 3).split() if "{}" in verb else [*verb.split()[:1], str(run), *verb.split()[1:]]
    said = call(*words)
    assert said.code in (0, 2, 3, 4), said.err
    assert "Traceback" not in said.err, said.err
    if said.code == 0:
        return TAKEN
    found = CODE.findall(said.err)
    assert found, said.err
    return str(found[0])


def _found(run: Path, pattern: str) -> list[Path]:
    found = sorted(path for path in run.rglob("*") if path.is_file() and path.match(f"out/{pattern}"))
    return found or ([run / pattern] if "*" not in pattern else [])


def _damage(path: Path, how: str, what: object) -> None:
    path.parent.mkdir(exist_ok=True)
    if how in ("payload", "column"):
        return _edited(path.with_name("journal.sqlite"), how, what) if path.name.startswith("journal") else None
    body = bytearray(path.read_bytes() if path.exists() else b"")
    if path.exists():
        os.chmod(path, 0o600)
        path.unlink()
    if how == "folder":
        path.mkdir()
    elif how == "bytes":
        path.write_bytes(what)  # type: ignore[arg-type]
    elif how == "cut":
        path.write_bytes(body[: int(len(body) * what)])  # type: ignore[operator]
    elif how == "flip":
        for share, bits in what if body else ():  # type: ignore[attr-defined]
            body[int(share * (len(body) - 1))] ^= bits
        path.write_bytes(body)
    return None


def _edited(path: Path, how: str, what: object) -> None:
    """An event that says something else; with its seals anew, as who knows how they are made may do."""
    connection = sqlite3.connect(path)
    with connection:
        count = connection.execute("SELECT count(*) FROM events").fetchone()[0]
        at = 1 + int(what[0] * (count - 1))  # type: ignore[index]
        if how == "column":
            _, column, value = what  # type: ignore[misc]
            value = value.encode("utf-8", "replace").decode()
            with contextlib.suppress(sqlite3.IntegrityError):  # a position is a number
                connection.execute(f"UPDATE OR IGNORE events SET {column} = ? WHERE position = ?", (value, at))
        else:
            _, value, resealed = what  # type: ignore[misc]
            (payload,) = connection.execute("SELECT payload FROM events WHERE position = ?", (at,)).fetchone()
            told = json.loads(payload)
            key = sorted(told)[int(what[0] * 1000) % len(told)]  # type: ignore[index]
            told[key] = value
            text = json.dumps(told).encode("utf-8", "replace").decode()
            connection.execute("UPDATE events SET payload = ? WHERE position = ?", (text, at))
            if resealed:
                _resealed(connection)
    connection.close()


def _resealed(connection: sqlite3.Connection) -> None:
    before = START
    rows = connection.execute(
        "SELECT position, kind, version, written, payload FROM events ORDER BY position"
    ).fetchall()
    for row in rows:
        before = seal(before, *row)
        connection.execute("UPDATE events SET seal = ? WHERE position = ?", (before, row[0]))
