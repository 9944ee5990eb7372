"""Generators that behave badly: each is told once, nothing half made is left, and whoever asked goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.executors import open_executor
from autodc.propose.parameter_effects import columns_of, differ
from autodc.studyfile.study import MachineSpec
from autodc.testing.waiting import PATIENCE
from autodc.trial.call import CallError
from autodc.trial.executor import CallTask, Completion, Executor, StoredPart
from autodc.wire.makers_generate import generate
from tests.propose.generating import SENSOR, call, made, sensor_parts, sensors

Array = np.ndarray[Any, Any]

BAD = (
    SENSOR
    + """
import ctypes, os, signal, sys, threading, time

class Bad(Sensor):
    how = ""

    def generate(self, p, rows, seed):
        exec(self.how)
        return super().generate(p, rows, seed)

"""
)


def bad(folder: Path, how: str) -> str:
    (folder / "bad.py").write_text(f"{BAD}\nBad.how = {how!r}\n")
    return "bad.py:Bad"


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    opened = open_executor(MachineSpec(runner="inline"))
    yield opened
    opened.close()


def asked(executor: Executor, folder: Path, timeout: float | None = None, **told: Any) -> Completion:
    """What came of it on a worker."""
    (folder / "base").mkdir(exist_ok=True)
    x, y, _ = sensors(60, 1, 0.0, 0.0)
    np.save(folder / "base" / "x.npy", x)
    np.save(folder / "base" / "y.npy", y)
    arguments = {"name": "sensor", "options": {}, "folder": str(folder), "rows": 20, "seed": 3, "classes": [0, 1]}
    executor.submit(
        CallTask(
            number=0,
            attempt=0,
            out=str(folder / "made" / "one"),
            object="autodc.wire.makers_generate:generate",
            folder=str(folder),
            arguments={**arguments, **told},
            parts=(StoredPart(name="base", path=str(folder / "base")),),
            timeout=timeout,
        )
    )
    while not (ended := executor.wait()):
        pass
    return ended[0]


@pytest.mark.parametrize(
    ("how", "status", "said"),
    [
        ("sys.exit(3)", "failed", "SystemExit(3) [ADC-PROP-015]"),
        ("raise type('Odd', (BaseException,), {})('odd')", "failed", "Odd: odd [ADC-PROP-015]"),
        ("exec('def f(): f()'); f()", "failed", "ADC-PROP-015"),
        ("sys.stdout = None; os.closerange(1, 3)", "done", ""),
        ("os.fork() or time.sleep(1000)", "done", ""),
        ("threading.Thread(target=time.sleep, args=(0.1,)).start()", "done", ""),
        ("os.chdir('/')", "done", ""),
        pytest.param("os.kill(os.getpid(), 9)", "crashed", "SIGKILL", marks=pytest.mark.slow),
        pytest.param("os._exit(0)", "crashed", "exit code 0", marks=pytest.mark.slow),
        pytest.param("ctypes.string_at(0)", "crashed", "SIGSEGV", marks=pytest.mark.slow),
        pytest.param("time.sleep(1000)", "timeout", "longer than 1.5 s", marks=pytest.mark.slow),
    ],
)
def test_whatever_it_does_to_its_process_costs_its_own_rows_alone(
    executor: Executor, tmp_path: Path, how: str, status: str, said: str
) -> None:
    generator = bad(tmp_path, how)
    ended = asked(executor, tmp_path, 1.5 if status == "timeout" else PATIENCE, generator=generator)
    assert ended.status == status, ended.error
    assert said in ended.error
    assert (tmp_path / "made" / "one").exists() == (status == "done")


PROGRAM = """
import json, os, signal, sys, time
import numpy as np
p, rows, seed, out = json.load(open(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
r = np.random.default_rng(seed)
night, signal_ = r.random(rows) < p["night"], r.normal(size=rows)
x = np.column_stack([signal_ + 2.5 * night, night, night, signal_ * 0]).astype(np.float32)
y = (signal_ > 0).astype(int)
"""


def program(folder: Path, does: str) -> dict[str, Any]:
    (folder / "sim.py").write_text(PROGRAM + does)
    argv = ["python", "sim.py", "{parameters}", "{rows}", "{seed}", "{out}"]
    parameters = {"night": {"type": "float", "low": 0, "high": 1}}
    return {"generator": "command", "options": {"argv": argv, "parameters": parameters}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("does", "status", "said"),
    [
        ("np.savez(out, x=x, y=y, hour=night * 2)", "done", ""),
        ("np.savez(out, x=x, y=y); half = open(out, 'rb').read()[:400]; open(out, 'wb').write(half)", "failed", "016"),
        ("np.savez(out, x=x, y=y); print('no licence', file=sys.stderr); sys.exit(1)", "failed", "no licence"),
        ("np.savez(out, inputs=x, labels=y)", "failed", "no array 'x'"),
        ("[sys.stdout.write('x' * 10**6) for _ in range(40)]; time.sleep(1); sys.exit(2)", "failed", "exit 2"),
        ("os.fork() or time.sleep(1000); np.savez(out, x=x, y=y, hour=night * 2)", "done", ""),
        ("np.savez(out, x=x); time.sleep(1000)", "timeout", "longer than 5 s"),
    ],
)
def test_a_program_leaves_nothing_half_written_wherever_it_ends(
    executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, status: str, said: str
) -> None:
    ended = asked(executor, tmp_path, 5.0 if status == "timeout" else PATIENCE, **program(tmp_path, does))
    assert ended.status == status, ended.error
    assert said in ended.error
    left = [path.name for path in (tmp_path / "made").rglob("*") if path.is_file()]
    assert left == [] if status != "done" else "made.json" in left
    assert not [name for name in left if name.endswith((".npz", ".txt"))]


def test_what_is_drawn_anew_and_never_looks_at_its_parameters_is_refused(tmp_path: Path) -> None:
    own = SENSOR + (
        "\nclass Deaf(Sensor):\n    def generate(self, p, rows, seed):\n"
        "        return super().generate({'night': .5, 'cold': .2}, rows, int(1e6 * (p['night'] + p['cold'])) + seed)\n"
    )
    (tmp_path / "deaf.py").write_text(own)
    with pytest.raises(CallError) as caught:
        generate(call(tmp_path, sensor_parts("night", tmp_path)[:1], generator="deaf.py:Deaf", classes=[0, 1], rows=20))
    assert caught.value.code == "ADC-PROP-021"
    assert "differ by chance alone" in caught.value.got


@pytest.mark.parametrize("what", ["spread", "sign"])
def test_what_changes_the_spread_alone_or_the_target_alone_is_no_deaf_generator(tmp_path: Path, what: str) -> None:
    x = {"spread": "r.normal(size=rows) * (1 + 3 * p['much'])", "sign": "r.normal(size=rows)"}[what]
    y = {"spread": "r.random(rows) > .5", "sign": "np.where(r.random(rows) < p['much'], a < 0, a > 0)"}[what]
    own = (
        "import numpy as np\nclass Own:\n    parameters = {'much': {'type': 'float', 'low': 0, 'high': 1}}\n"
        "    def generate(self, p, rows, seed):\n        r = np.random.default_rng([seed, int(1e6 * p['much'])])\n"
        f"        a = {x}\n        y = {y}\n"
        "        return np.column_stack([a, a * 0, a * 0, a * 0]).astype(np.float32), y.astype(int), None\n"
    )
    (tmp_path / "own.py").write_text(own)
    asked_of = call(tmp_path, sensor_parts("night", tmp_path)[:1], generator="own.py:Own", classes=[0, 1], rows=20)
    assert len(made(asked_of)[0].x) == 20


@pytest.mark.slow
def test_rows_of_one_kind_are_told_from_rows_of_two_as_often_as_chance_allows() -> None:
    deaf = 0
    for seed in range(10):
        drawn = [sensors(48, 100 * seed + at, 0.3, 0.2) for at in range(6)]
        deaf += differ([columns_of(m, x) for x, _, m in drawn], [y for _, y, _ in drawn]) is False
    assert deaf >= 8
    drawn = [sensors(48, at, 0.15 * at, 0.2) for at in range(6)]
    assert differ([columns_of(m, x) for x, _, m in drawn], [y for _, y, _ in drawn])
