"""Memory of `check` and `run` on data larger than memory: a Parquet table, a folder of images; both made here.

    python -m benchmarks.big table --gigabytes 6      # or: images; prints one line a verb, for results/big.md
    python -m benchmarks.big table images --gigabytes 0.05

Gigabytes are bytes of the file, or of the files. Driver and workers run as ever, each held to 4 GB of data
(RLIMIT_DATA), and their memory without files (RssAnon, RssShmem) is looked at ten times a second: pages of files are
the kernel's to drop, and are none of it. Touched is what a training draws, by rows: steps × batch size of them.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.tables import table

LIMIT = 4 << 30
"""Bytes of data that each process may have."""
LOOKS = 0.1
"""Seconds between two looks at memory."""
GROUP = 262_144
"""Rows of a group in the Parquet file."""
HELD, CANDIDATE, COPIES = 20_000, 100_000, 20
"""Rows of validation and of each candidate, and rows of the base that are validation rows."""
STEPS, BATCH = {"table": 200, "images": 60}, {"table": 256, "images": 16}
SIDE = 256
"""Pixels a side of an image."""
HEAD = ("data", "GB", "rows", "verb", "seconds", "driver, MB", "worker, MB", "touched, MB", "exit code")
WORKER = "autodc.adapters.executors.child"

STUDY = """\
schema_version: 1
name: big
seed: 1
task:
  kind: classification
  trainer: {trainer}
  options: {{steps: {steps}, batch_size: {batch}, width: 32}}
data:
  base: {{source: {base}{options}}}
  candidates:
    - {{name: first, source: {first}{options}}}
    - {{name: second, source: {second}{options}}}
  validation: {{source: {validation}{options}}}
metrics: {{primary: accuracy}}
slices:
  - {{name: overall, role: guard, margin: 0.1}}
  - {{name: chosen, where: "{where}", role: target}}
loop: {{rounds: 1}}
search: {{trials_per_round: 6}}
gate: {{planned_tests: 2, looks: [2, 3]}}
budget: {{trainings: 16}}
tracking: {{uri: none}}
"""
VERBS = ("check", "run")
MACHINE = "max_concurrent: 1\ncpus_per_trial: 1\n"


def frame(rng: np.random.Generator, rows: int, first: int = 0) -> Any:
    """An id, 8 whole numbers, 14 decimal ones with gaps, 4 categories, 2 dates, and a text that is to be told."""
    import pandas as pd

    columns: dict[str, Any] = {"order_id": np.arange(first, first + rows) * 7 + 10**9}
    columns |= {f"count_{i}": rng.integers(0, 10 ** (1 + i), rows) for i in range(8)}
    for i in range(14):
        columns[f"amount_{i}"] = rng.gamma(2, 50 + i, rows)
        columns[f"amount_{i}"][rng.random(rows) < 0.05] = np.nan
    for name, many in (("region", 5), ("channel", 4), ("town", 300), ("product", 2000)):
        columns[name] = np.array([f"{name} {i}" for i in range(many)], dtype=object)[rng.integers(0, many, rows)]
    day = np.datetime64("2024-01-01", "us")
    columns |= {f"date_{i}": day + rng.integers(0, 86_400_000_000 * 700, rows).astype("m8[us]") for i in range(2)}
    high = np.nan_to_num(columns["amount_0"] + columns["amount_1"]) + rng.normal(0, 30, rows)
    columns["ended"] = np.array(["kept", "returned", "exchanged"], dtype=object)[np.digitize(high, [150, 260])]
    return pd.DataFrame(columns)


def make_table(folder: Path, gigabytes: float) -> tuple[int, str]:
    """Write the tables; return the rows of the base and the study."""
    import pyarrow as pa
    from pyarrow import parquet

    rng, rows = np.random.default_rng(0), 0
    held = frame(rng, HELD, 10**9)
    held.to_parquet(folder / "validation.parquet", index=False)
    for at, name in enumerate(("first", "second")):
        frame(rng, CANDIDATE, 10**8 * (at + 5)).to_parquet(folder / f"{name}.parquet", index=False)
    path = folder / "base.parquet"
    group = min(GROUP, max(20_000, int(gigabytes * 1e9 / 190 / 4)))
    with parquet.ParquetWriter(path, pa.Table.from_pandas(held, preserve_index=False).schema) as writer:
        while path.stat().st_size < gigabytes * 1e9:
            piece = frame(rng, group, rows)
            piece.iloc[:COPIES] = held.iloc[:COPIES] if not rows else piece.iloc[:COPIES]
            writer.write_table(pa.Table.from_pandas(piece, preserve_index=False))
            rows += group
    return rows, STUDY.format(
        trainer="torch_tabular",
        steps=STEPS["table"],
        batch=BATCH["table"],
        options=", options: {target: ended}",
        where="region = 'region 1'",
        **{name: f"{name}.parquet" for name in ("base", "first", "second", "validation")},
    )


def make_images(folder: Path, gigabytes: float) -> tuple[int, str]:
    """Write folders of digits, enlarged, in noise: PNG and JPEG; return the rows of the base and the study."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    rng = np.random.default_rng(0)
    small = min(1000, max(200, int(gigabytes * 1000)))
    for name, rows in (("validation", small), ("first", small), ("second", small)):
        for _ in _images(rng, digits, folder / name, rows):
            pass
    size = rows = 0
    for written in _images(rng, digits, folder / "base", 10**9):
        size, rows = size + written, rows + 1
        if size >= gigabytes * 1e9:
            break
    return rows, STUDY.format(
        trainer="torch_image", steps=STEPS["images"], batch=BATCH["images"], where="target < 5",
        options=f", options: {{size: [{SIDE}, {SIDE}], mode: RGB}}",
        base="base", first="first", second="second", validation="validation",
    )  # fmt: skip


def _images(rng: np.random.Generator, digits: Any, folder: Path, rows: int) -> Any:
    """Write images, one subfolder a class; give the bytes of each."""
    from PIL import Image

    for at in range(rows):
        which = int(rng.integers(len(digits.images)))
        digit = Image.fromarray((digits.images[which] * 12).astype(np.uint8)).resize((SIDE, SIDE))
        values = np.asarray(digit)[..., None] + rng.integers(0, 60, (SIDE, SIDE, 3), dtype=np.uint8)
        path = folder / str(digits.target[which]) / f"{at}.{'png' if at % 4 else 'jpg'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if at % 4:
            path.write_bytes(_png(values.astype(np.uint8)))
        else:
            Image.fromarray(values.astype(np.uint8)).save(path, quality=95)
        yield path.stat().st_size


def _png(values: np.ndarray[Any, Any]) -> bytes:
    """Colours, shape (height, width, 3), as PNG that is not compressed: pillow would take ten times as long."""

    def part(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    height, width = values.shape[:2]
    lines = np.concatenate([np.zeros((height, 1), np.uint8), values.reshape(height, -1)], axis=1)  # 0: unfiltered
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + part(b"IHDR", head)
        + part(b"IDAT", zlib.compress(lines.tobytes(), 0))
        + part(b"IEND", b"")
    )


def watched(command: list[str], folder: Path) -> tuple[float, dict[str, float], int]:
    """Run a command; its seconds, the largest anonymous memory of driver and of a worker in MB, its exit code."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    peaks: dict[str, float] = defaultdict(float)
    began = time.monotonic()
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, preexec_fn=_limit)  # noqa: PLW1509
        while process.poll() is None:
            peaks["driver"] = max(peaks["driver"], anonymous(process.pid))
            for one in _below(process.pid):
                peaks["worker"] = max(peaks["worker"], anonymous(one))
            time.sleep(LOOKS)
    return time.monotonic() - began, peaks, process.returncode


def anonymous(pid: int) -> float:
    """Memory of a process that no file stands for in MB, what it shares with forks among it; 0 where it has ended."""
    try:
        found = re.findall(r"(?:RssAnon|RssShmem):\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return sum(map(int, found)) * 1024 / 1e6


def _below(pid: int) -> list[int]:
    """The processes that train."""
    try:
        every = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
    return [one.pid for one in every if WORKER in _command(one)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))


def measured(kind: str, gigabytes: float, root: Path, verbs: Sequence[str]) -> list[tuple[object, ...]]:
    """Make the data where it is not there, check and run a study on it; a row of the table for each."""
    folder = root / kind
    made = folder / "rows.txt"
    if not made.exists():
        folder.mkdir(parents=True)
        rows, study = {"table": make_table, "images": make_images}[kind](folder, gigabytes)
        (folder / "study.yaml").write_text(study)
        (folder / "machine.yaml").write_text(MACHINE)
        made.write_text(f"{rows}")
    rows = int(made.read_text())
    program = [sys.executable, "-c", "import sys; from autodc.cli import main; sys.exit(main())"]
    touched = STEPS[kind] * BATCH[kind] * {"table": 30 * 8, "images": SIDE * SIDE * 3}[kind] / 1e6
    found: list[tuple[object, ...]] = []
    of_run = ("--machine", str(folder / "machine.yaml"), "--out", str(folder / "out"))
    for verb in verbs:
        more = of_run if verb == "run" else ()
        seconds, peaks, code = watched([*program, verb, str(folder / "study.yaml"), *more], folder)
        worker = f"{peaks['worker']:.0f}" if peaks["worker"] else "–"
        size = f"{gigabytes:g}"
        row = (kind, size, rows, verb, f"{seconds:.0f}", f"{peaks['driver']:.0f}", worker, f"{touched:.0f}", code)
        found.append(row)
        print(*row, sep=" · ", file=sys.stderr, flush=True)
        if code:
            print((folder / "log.txt").read_text()[-3000:], file=sys.stderr)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="+", choices=("table", "images"))
    parser.add_argument("--gigabytes", type=float, default=6.0)
    parser.add_argument("--verbs", nargs="+", choices=VERBS, default=VERBS)
    parser.add_argument(
        "--folder", type=Path, default=None, help="where everything lies meanwhile; five times the data"
    )
    parser.add_argument("--data", type=Path, default=None, help="a folder where the data stays, and is made only once")
    asked = parser.parse_args()
    rows = []
    for kind in asked.kinds:
        root = asked.data or Path(tempfile.mkdtemp(prefix="autodc-big-", dir=asked.folder))
        try:
            rows += measured(kind, asked.gigabytes, root, asked.verbs)
        finally:
            for left in (root,) if asked.data is None else (root / kind / "out", root / kind / "cache"):
                shutil.rmtree(left, ignore_errors=True)
    print(table(HEAD, rows))


if __name__ == "__main__":
    main()
