from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.journal import SqliteJournal, open_for_following
from autodc.adapters.mlflow.sender import Sender
from autodc.adapters.mlflow.target import MlflowTarget, remembered
from autodc.adapters.mlflow.tracker import MlflowTracker, NullTracker
from autodc.study.journal import events as ev
from autodc.testing.tracker_contract import TrackerContract, study, trial
from autodc.testing.waiting import PATIENCE, waited
from tests.adapters.bad_line import bad_line

pytestmark = pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="MLflow is not installed")
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with its tables made: migrations take seconds."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def uri(empty_store: Path, tmp_path: Path) -> str:
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    made = SqliteJournal(tmp_path / "out" / "journal.sqlite")
    yield made
    made.close()


class TestNullTracker(TrackerContract):
    @pytest.fixture
    def tracker_of(self) -> Any:
        return lambda path: NullTracker()


@pytest.mark.slow
class TestMlflowTracker(TrackerContract):
    @pytest.fixture
    def tracker_of(self, uri: str) -> Any:
        return lambda path: MlflowTracker(path, MlflowTarget(uri=uri, experiment="made-up"))


def runs_of(uri: str, experiment: str = "made-up") -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id], max_results=1000))


def keys_of(runs: list[Any]) -> Counter[str]:
    return Counter(run.data.tags["autodc.key"].partition("/")[2] for run in runs)


def drain(sender: Sender) -> None:
    while sender.step():
        pass


def whole(trials: int) -> Counter[str]:
    return Counter(["study", *(f"trial-{number}" for number in range(trials + 4))])


@pytest.mark.slow
def test_the_runs_of_a_study_hang_below_it_with_all_they_have(uri: str, journal: SqliteJournal, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    page = journal.path.parent / "report" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>kept: fog</p>")
    journal.append(study(trials=4))
    target = MlflowTarget(uri=uri, experiment="made-up")
    with open_for_following(journal.path) as followed:
        sender = Sender(MlflowClient(uri), followed, target, journal.path.parent)
        drain(sender)
        sender.close()
        while sender.add_file():
            pass
    runs = runs_of(uri)
    assert keys_of(runs) == whole(4)
    parent = next(run for run in runs if run.info.run_id == sender.reference["run_id"])
    children = [run for run in runs if run is not parent]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert Counter(run.info.status for run in runs) == {"FINISHED": 8, "FAILED": 1}
    assert parent.data.tags["verdict.fog"] == "keep"
    third = next(run for run in runs if run.data.tags.get("autodc.trial") == "3")
    assert third.data.params["weight.fog"] == "0.75"
    assert third.data.metrics["validation/dark"] == pytest.approx(0.53)
    assert third.info.end_time - third.info.start_time == 500
    assert {d.dataset.name for d in third.inputs.dataset_inputs} == {"base", "fog"}
    line = MlflowClient(uri).get_metric_history(parent.info.run_id, "test/dark")
    assert [(point.step, point.value) for point in line] == [(0, 0.5), (1, 0.6)]
    note = parent.data.tags["mlflow.note.content"]
    assert third.info.run_id not in note
    assert "⟦" not in note
    assert all(run.info.run_id in note for run in runs if "autodc.compare" in run.data.tags)
    kept = [path.name for path in (tmp_path / "mlartifacts").rglob("*") if path.is_file()]
    assert sorted(kept) == ["index.html", "study.json"]


class CutAfter:
    """A client whose process dies right after its n-th call of one kind has arrived."""

    def __init__(self, client: Any, call: str, count: int) -> None:
        self._client, self._call, self._left = client, call, count

    def __getattr__(self, name: str) -> Any:
        def called(*arguments: Any, **named: Any) -> Any:
            answer = getattr(self._client, name)(*arguments, **named)
            if name == self._call:
                self._left -= 1
                if self._left == 0:
                    raise ConnectionResetError("cut")
            return answer

        return called


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "count"),
    [
        ("create_run", 4),
        ("create_experiment", 1),
        ("create_run", 1),
        ("log_batch", 3),
        ("set_terminated", 2),
    ],
)
@pytest.mark.parametrize("same_process", [True, False])
def test_what_is_cut_between_arriving_and_being_noted_is_not_doubled(
    uri: str, journal: SqliteJournal, call: str, count: int, same_process: bool
) -> None:
    from mlflow import MlflowClient

    journal.append(study(trials=3))
    target = MlflowTarget(uri=uri, experiment="made-up")
    with open_for_following(journal.path) as followed:
        sender = Sender(CutAfter(MlflowClient(uri), call, count), followed, target)
        with pytest.raises(ConnectionResetError):
            drain(sender)
        if same_process:
            sender.doubt()
        else:
            sender = Sender(MlflowClient(uri), followed, target)
        drain(sender)
        sender.close()
    runs = runs_of(uri)
    assert keys_of(runs) == whole(3)
    assert "RUNNING" not in {run.info.status for run in runs}
    assert all(run.data.metrics for run in runs if run.info.status == "FINISHED")


class Counted:
    """A client that counts its calls, each of which takes a while."""

    def __init__(self, client: Any, seconds: float = 0.0) -> None:
        self._client, self._seconds, self.calls = client, seconds, Counter[str]()

    def __getattr__(self, name: str) -> Any:
        def called(*arguments: Any, **named: Any) -> Any:
            self.calls[name] += 1
            time.sleep(self._seconds)
            return getattr(self._client, name)(*arguments, **named)

        return called


@pytest.mark.slow
def test_a_batch_that_was_begun_is_gone_on_with_run_by_run(uri: str, journal: SqliteJournal) -> None:
    from mlflow import MlflowClient

    journal.append(study(trials=8))
    target = MlflowTarget(uri=uri, experiment="made-up")
    made = []
    for _ in range(4):
        client = Counted(MlflowClient(uri), seconds=0.3)
        with open_for_following(journal.path) as followed:
            sender = Sender(client, followed, target)
            while client.calls["set_terminated"] < 4 and sender.step():
                pass
        made.append(client.calls["create_run"])
    assert made == [4, 4, 4, 1]
    assert keys_of(runs_of(uri)) == whole(8)
    assert journal.cursor(target.cursor).position == journal.last


@pytest.mark.slow
def test_a_lost_cursor_finds_the_runs_that_are_there(uri: str, journal: SqliteJournal) -> None:
    from mlflow import MlflowClient

    journal.append(study(trials=2))
    references = []
    target = MlflowTarget(uri=uri, experiment="made-up")
    for _ in range(2):
        with open_for_following(journal.path) as followed:
            followed.set_cursor(target.cursor, 0)
            sender = Sender(MlflowClient(uri), followed, target)
            drain(sender)
            sender.close()
            references.append(sender.reference)
    assert references[0] == references[1]
    assert keys_of(runs_of(uri)) == whole(2)
    assert Counter(run.info.status for run in runs_of(uri)) == {"FINISHED": 7}


@pytest.mark.slow
def test_where_the_study_is_kept_is_in_the_journal_without_secrets(uri: str, journal: SqliteJournal) -> None:
    from mlflow import MlflowClient

    journal.append(study(trials=1))
    secret = "http://me:geheim@host:5000"
    target = MlflowTarget(uri=secret, experiment="made-up")
    with open_for_following(journal.path) as followed:
        assert remembered(followed) is None
        sender = Sender(MlflowClient(uri), followed, target)
        drain(sender)
        assert remembered(followed) == {"uri": "http://me:***@host:5000", **sender.reference}


def test_another_password_is_the_same_target() -> None:
    addresses = ("http://me:one@host:5000", "http://me:other@host:5000", "http://you@host:5000", "http://host:5000")
    cursors = {MlflowTarget(uri=address, experiment="made-up").cursor for address in addresses}
    assert len(cursors) == 1
    assert MlflowTarget(uri="http://host:5001", experiment="made-up").cursor not in cursors


@pytest.mark.slow(seconds=15)
def test_a_slow_store_is_waited_for_while_something_moves(uri: str, journal: SqliteJournal) -> None:
    journal.append(study(trials=80))
    tracker = MlflowTracker(journal.path, MlflowTarget(uri=uri, experiment="made-up"))
    assert tracker.finish(6.0), tracker.complaint
    assert keys_of(runs_of(uri)) == whole(80)


@pytest.mark.slow
def test_an_artifact_that_could_not_be_added_is_added_by_the_next_run(uri: str, journal: SqliteJournal) -> None:
    place = journal.path.parent.parent / "mlartifacts"
    place.write_text("in the way")
    journal.append(study(trials=1))
    tracker = MlflowTracker(journal.path, MlflowTarget(uri=uri, experiment="made-up"))
    assert not tracker.finish(60)
    assert "MLflow has the runs but not all" in tracker.complaint
    place.unlink()
    again = MlflowTracker(journal.path, MlflowTarget(uri=uri, experiment="made-up"))
    assert again.finish(PATIENCE), again.complaint
    assert [path.name for path in place.rglob("*.json")] == ["study.json"]
    assert keys_of(runs_of(uri)) == whole(1)


@pytest.mark.slow
def test_a_store_that_cannot_be_opened_is_told_with_its_own_words(journal: SqliteJournal, tmp_path: Path) -> None:
    journal.append(study(trials=1))
    for uri, words in (
        ((tmp_path / "mlruns").as_uri(), "maintenance mode"),
        ("foo://me:geheim@bar", "unsupported URI"),
    ):
        tracker = MlflowTracker(journal.path, MlflowTarget(uri=uri, experiment="made-up"))
        assert not tracker.finish(60)
        assert words in tracker.complaint
        assert "geheim" not in tracker.complaint


@pytest.mark.slow
def test_an_interrupted_study_is_killed_in_mlflow_and_runs_again_when_it_goes_on(
    uri: str, journal: SqliteJournal
) -> None:
    events = study(trials=3)
    journal.append(events[:6])
    tracker = MlflowTracker(journal.path, MlflowTarget(uri=uri, experiment="made-up"))
    assert tracker.finish(PATIENCE)
    (parent,) = (run for run in runs_of(uri) if keys_of([run])["study"])
    assert parent.info.status == "KILLED"
    assert parent.data.tags["autodc.status"] == "interrupted"
    journal.append([ev.SessionStarted(slots=2, machine={}, time=1.7e9), *events[6:]])
    again = MlflowTracker(journal.path, MlflowTarget(uri=uri, experiment="made-up"))
    assert again.finish(PATIENCE)
    assert again.reference == tracker.reference
    runs = runs_of(uri)
    assert keys_of(runs) == whole(3)
    assert "RUNNING" not in {run.info.status for run in runs}


@pytest.mark.slow
def test_a_finished_study_starts_no_writer_again(uri: str, journal: SqliteJournal) -> None:
    journal.append(study(trials=1))
    assert MlflowTracker(journal.path, MlflowTarget(uri=uri, experiment="made-up")).finish(PATIENCE)
    before = sorted(path.name for path in journal.path.parent.iterdir())
    again = MlflowTracker(journal.path, MlflowTarget(uri=uri, experiment="made-up"))
    again.follow()
    assert again._process is None
    assert again.finish(0.0)
    assert again.reference is not None
    assert sorted(path.name for path in journal.path.parent.iterdir()) == before


@pytest.mark.slow
def test_a_deleted_experiment_is_left_alone_and_the_study_sent_whole(uri: str, journal: SqliteJournal) -> None:
    from mlflow import MlflowClient

    events = study(trials=2)
    journal.append(events[:5])
    assert MlflowTracker(journal.path, MlflowTarget(uri=uri, experiment="made-up")).finish(PATIENCE)
    client = MlflowClient(uri)
    client.delete_experiment(client.get_experiment_by_name("made-up").experiment_id)
    journal.append([ev.SessionStarted(slots=2, machine={}), *events[5:]])
    assert MlflowTracker(journal.path, MlflowTarget(uri=uri, experiment="made-up")).finish(PATIENCE)
    assert keys_of(runs_of(uri, "made-up-2")) == whole(2)


@pytest.mark.slow
def test_what_mlflow_refuses_is_said_and_does_not_hold_up_the_rest(uri: str, journal: SqliteJournal) -> None:
    events = study(trials=2)
    planned, finished = trial(0, {"base": 1.0}, hyperparameters={"": 1, "lr": 1})
    journal.append([*events[:3], planned, finished, *events[5:]])
    tracker = MlflowTracker(journal.path, MlflowTarget(uri=uri, experiment="made-up"))
    assert tracker.finish(PATIENCE)
    assert "trial-0" in tracker.complaint
    runs = runs_of(uri)
    assert keys_of(runs) == whole(2)
    assert "RUNNING" not in {run.info.status for run in runs}


@pytest.mark.slow
def test_two_studies_of_one_name_have_a_run_each(uri: str, tmp_path: Path) -> None:
    references = []
    for folder in ("one", "two"):
        journal = SqliteJournal(tmp_path / folder / "journal.sqlite")
        journal.append(study(trials=1))
        tracker = MlflowTracker(journal.path, MlflowTarget(uri=uri, experiment="made-up"))
        assert tracker.finish(PATIENCE)
        references.append(tracker.reference)
        journal.close()
    assert references[0]["experiment_id"] == references[1]["experiment_id"]
    assert references[0]["run_id"] != references[1]["run_id"]
    assert sum(keys_of(runs_of(uri)).values()) == 2 * 6


@pytest.mark.slow
def test_a_port_that_refuses_is_a_complaint_and_sent_by_the_next_run(journal: SqliteJournal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    journal.append(study(trials=1))
    tracker = MlflowTracker(journal.path, MlflowTarget(uri=f"http://127.0.0.1:{port}", experiment="made-up"))
    tracker.follow()
    assert waited(lambda: "does not answer" in tracker.complaint)
    assert tracker.reference is None
    assert not tracker.finish(60)
    assert "does not answer" in tracker.complaint


@contextlib.contextmanager
def asked_in_vain(journal: SqliteJournal) -> Iterator[MlflowTracker]:
    """A tracker whose server has taken its call and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        tracker = MlflowTracker(
            journal.path, MlflowTarget(uri=f"http://127.0.0.1:{server.getsockname()[1]}", experiment="made-up")
        )
        tracker.follow()
        connection, _ = server.accept()
        with connection:
            yield tracker


@pytest.mark.slow
def test_a_server_that_never_answers_holds_nobody_up(journal: SqliteJournal) -> None:
    journal.append(study(trials=1))
    with asked_in_vain(journal) as tracker:
        assert not tracker.finish(0.5)
    assert "took longer" in tracker.complaint
    assert tracker._process is None


@pytest.mark.slow
def test_waiting_for_a_server_can_be_stopped(journal: SqliteJournal) -> None:
    journal.append(study(trials=1))
    with asked_in_vain(journal) as tracker:
        assert not tracker.finish(600, stop=lambda: True)
    assert "stopped" in tracker.complaint
    assert tracker._process is None


@pytest.mark.slow
def test_the_writer_ends_with_its_study(uri: str, tmp_path: Path) -> None:
    program = """
import signal, sys
from autodc.adapters.journal import SqliteJournal
from autodc.adapters.mlflow.target import MlflowTarget
from autodc.adapters.mlflow.tracker import MlflowTracker
from autodc.testing.tracker_contract import study
journal = SqliteJournal(sys.argv[1])
journal.append(study(finished=False))
tracker = MlflowTracker(journal.path, MlflowTarget(uri=sys.argv[2], experiment="made-up"))
tracker.follow()
print(tracker._process.pid, flush=True)
signal.pause()
"""
    path = tmp_path / "out" / "journal.sqlite"
    run = subprocess.Popen([sys.executable, "-c", program, path, uri], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    writer = int(run.stdout.readline())
    run.kill()
    run.wait()
    assert waited(lambda: not alive(writer))


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.slow(seconds=20)
def test_writers_that_are_killed_again_and_again_lose_and_double_nothing(uri: str, journal: SqliteJournal) -> None:
    journal.append(study(trials=36))
    database = Path(uri.removeprefix("sqlite:///"))

    def runs() -> int:
        with sqlite3.connect(database, timeout=PATIENCE) as raw:
            return int(raw.execute("SELECT count(*) FROM runs").fetchone()[0])

    for share in (1, 12, 28):
        tracker = MlflowTracker(journal.path, MlflowTarget(uri=uri, experiment="made-up"))
        tracker.follow()
        assert tracker._process is not None
        assert waited(lambda share=share: runs() >= share)
        os.kill(tracker._process.pid, signal.SIGKILL)
        assert waited(lambda tracker=tracker: tracker._ended.is_set())
    assert tracker.finish(PATIENCE)
    assert keys_of(runs_of(uri)) == whole(36)


@pytest.mark.slow(seconds=30)
@pytest.mark.timeout(2400)
def test_a_real_server_gets_once_what_it_missed_also_over_a_line_that_fails_and_loses_replies(
    uri: str, journal: SqliteJournal, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as other:
        port, behind = free.getsockname()[1], other.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    events = study(trials=6)
    journal.append(events[:9])
    early = MlflowTracker(journal.path, MlflowTarget(uri=address, experiment="made-up"))
    assert not early.finish(60)
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, "--port", str(behind)),
            *("--workers", "1", "--artifacts-destination", str(tmp_path / "artifacts")),
        ],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert waited(lambda: answers(behind))
        with bad_line(port, behind) as line:
            journal.append(events[9:])
            for _ in range(6):  # the same command again
                late = MlflowTracker(journal.path, MlflowTarget(uri=address, experiment="made-up"))
                if late.finish(PATIENCE):
                    break
            assert late.complaint == ""
        assert min(line.did["failed"], line.did["lost"]) > 2, line.did
        assert keys_of(runs_of(f"http://127.0.0.1:{behind}")) == whole(6)
        assert [path.name for path in (tmp_path / "artifacts").rglob("*.json")] == ["study.json"]
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
