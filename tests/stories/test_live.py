"""A night that is watched, paused, looked at in a browser and let go on, by the commands as a person gives them."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import autodc
from autodc.testing.waiting import PATIENCE, until
from autodc.testing.worlds.cells import write_world
from autodc.verbs.run import run as go_on
from tests.screens.browser import Watch, chromium

WORLD = {"budget__trainings": 30, "loop__rounds": 1, "gate__evidence": "each", "data__explore_share": 0}
WAITS = """
import pathlib, time
from autodc.testing.worlds.cells import CellTrainer

HERE = pathlib.Path(__file__).parent

class Waits:
    def train(self, job):
        with open(HERE / "begun", "a") as file:
            file.write("x")
        while (HERE / "held").exists():
            time.sleep(0.02)
        return CellTrainer().train(job)
"""
TELLS = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + chr(10))"
PROGRAM = "import sys; sys.argv[0] = 'autodc'; from autodc.cli import main; main()"


def command(*words: object) -> list[str]:
    return [sys.executable, "-c", PROGRAM, *map(str, words)]


def said(*words: object) -> subprocess.CompletedProcess[str]:
    """What a verb says."""
    return subprocess.run(command(*words), check=False, capture_output=True, text=True, timeout=PATIENCE)


@pytest.fixture
def begin() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Begins a verb in the background, which is ended with the test."""
    begun: list[subprocess.Popen[str]] = []

    def start(*words: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def world(folder: Path) -> list[object]:
    """A study whose trainings wait while a file is there; the words that run it."""
    (folder / "waits.py").write_text(WAITS)
    (folder / "inline.yaml").write_text("runner: inline\n")
    study = write_world(folder, task__trainer="waits.py:Waits", **WORLD)
    return ["run", study, "--machine", folder / "inline.yaml", "--out", folder / "out"]


def decided(folder: Path) -> Any:
    """All that does not depend on the clock."""
    result = json.loads((folder / "out" / "result.json").read_text())
    names = ("kept", "decisions", "incumbent", "validation", "stopped_because")
    return {**{key: result[key] for key in names}, "spent of q": result["ledger"]["spent"]}


@pytest.mark.slow(seconds=40)
@pytest.mark.timeout(1800)
def test_a_night_is_watched_paused_looked_at_and_let_go_on(tmp_path: Path, begin: Any) -> None:
    folder, out, told = tmp_path, tmp_path / "out", tmp_path / "told"
    (folder / "held").touch()
    runs = world(folder)
    notify = shlex.join([sys.executable, "-c", TELLS, str(told), "--token", "s3cret"])
    run = begin(*runs, "--notify", notify)
    until((folder / "begun").exists, "the first training begins", PATIENCE)
    watch = begin("status", out, "--watch", "--json")

    refused = said("slots", out, 4096)
    assert refused.returncode == 2
    assert "there is no room for 4096 trainings at once" in refused.stderr
    paused = said("pause", out, "--json")
    assert json.loads(paused.stdout) == {"running": True, "answered": True, "paused": True, "slots": 1}, paused
    (folder / "held").unlink()

    begun = []

    def resume() -> None:
        begun.append((folder / "begun").read_text())
        assert said("resume", out).stdout == "going on\n"

    serve = begin("serve", out)
    seen = in_the_browser(serve.stdout.readline().strip(), resume)
    assert begun == ["x"], "while it was paused, for as long as a browser takes to start, nothing began"
    assert "paused since" in seen["line before"]
    assert "None of 4 candidate datasets was kept so far" in seen["page before"]
    assert "finished" in seen["line after"]
    assert "1 of 4 candidate datasets was kept: lamps" in seen["page after"]
    assert seen["scrolled before"] == seen["scrolled after"] > 0
    assert seen["trouble"] == []
    assert "token" not in seen["address"]

    _, err = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0, err
    assert "paused: what runs comes to its end" in err
    lines = [json.loads(line) for line in watch.communicate(timeout=PATIENCE)[0].splitlines()]
    assert watch.returncode == 0
    assert any(one["paused_since"] for one in lines)
    assert (lines[-1]["finished"], lines[-1]["paused_since"], lines[-1]["running"]) == (True, None, False)
    serve.send_signal(signal.SIGINT)
    assert "no longer served" in serve.communicate(timeout=PATIENCE)[1]
    assert serve.returncode == 0

    messages = [json.loads(line) for line in told.read_text().splitlines()]
    assert [(one["event"], one["kept"]) for one in messages] == [("keep", ["lamps"]), ("done", ["lamps"])]
    assert "s3cret" not in (out / "report" / "index.html").read_text()
    spec, machine = autodc.load(folder / "study.yaml"), autodc.MachineSpec(runner="inline")
    go_on(spec, machine, out, notify=notify)
    assert len(told.read_text().splitlines()) == len(messages)

    (plain := tmp_path / "plain").mkdir()
    world(plain)
    autodc.run(autodc.load(plain / "study.yaml"), machine, plain / "out")
    assert decided(plain) == decided(folder)


def in_the_browser(url: str, resume: Callable[[], Any]) -> dict[str, Any]:
    """What a person sees of a paused study, and after it is let go on, in a page that is never loaded again."""
    shown = "document.querySelector('iframe:not(.behind)')"
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 500})
        page.set_default_timeout(1000 * PATIENCE)
        watch = Watch(page)

        def heading() -> str:
            return str(page.evaluate(f"{shown}.contentDocument?.querySelector('h1')?.textContent ?? ''"))

        page.goto(url)
        page.locator("#now", has_text="paused since").wait_for()
        until(lambda: "so far" in heading(), "the page of a study that is not finished", PATIENCE)
        page.evaluate(f"{shown}.contentWindow.scrollTo(0, 300)")
        seen: dict[str, Any] = {
            "address": page.url,
            "line before": page.inner_text("#now"),
            "page before": heading(),
            "scrolled before": page.evaluate(f"{shown}.contentWindow.scrollY"),
        }
        resume()
        page.locator("#now", has_text="finished").wait_for()
        until(lambda: "lamps" in heading() and "so far" not in heading(), "the page of the end", PATIENCE)
        seen |= {
            "line after": page.inner_text("#now"),
            "page after": heading(),
            "scrolled after": page.evaluate(f"{shown}.contentWindow.scrollY"),
            "trouble": watch.said,
        }
    return seen
