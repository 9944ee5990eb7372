"""--until: which moment is meant, and what one that has passed means."""

from __future__ import annotations

import datetime
import math
import time
from pathlib import Path
from typing import Any

import pytest

from autodc.cli.live import until_time
from autodc.errors import SpecError

NOW = datetime.datetime(2026, 11, 26, 22, 0).astimezone().timestamp()
HOUR = 3600.0


def local(day: Any, hour: Any, minute: Any = 0, second: Any = 0) -> Any:
    return datetime.datetime(2026, 11, day, hour, minute, second).astimezone().timestamp()


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("07:30", local(27, 7, 30)),
        ("7:30", local(27, 7, 30)),
        ("23:15:30", local(26, 23, 15, 30)),
        ("2026-11-28T06:00", local(28, 6)),
        ("2026-11-28 06:00:10", local(28, 6, 0, 10)),
        ("2026-11-28T06:00Z", datetime.datetime(2026, 11, 28, 6, tzinfo=datetime.UTC).timestamp()),
        ("2026-11-28T06:00+02:00", datetime.datetime(2026, 11, 28, 4, tzinfo=datetime.UTC).timestamp()),
        ("2026-11-28T06:00-0130", datetime.datetime(2026, 11, 28, 7, 30, tzinfo=datetime.UTC).timestamp()),
    ],
)
def test_the_moment_that_is_meant(text: Any, then: Any) -> None:
    assert until_time(text, now=NOW) == then


def test_a_time_of_day_may_have_a_zone() -> None:
    found = datetime.datetime.fromtimestamp(until_time("07:30Z", now=NOW), datetime.UTC)
    assert (found.hour, found.minute) == (7, 30)
    assert 0 < found.timestamp() - NOW <= 24 * HOUR
    east = datetime.datetime.fromtimestamp(until_time("07:30+05:30", now=NOW), datetime.UTC)
    assert (east.hour, east.minute) == (2, 0)


def test_no_time_is_no_limit() -> None:
    assert until_time(None) == math.inf


@pytest.mark.parametrize(
    "text",
    ["", "soon", "6", "07", "25:00", "07:60", "07:30X", "07:30+99:99", "2026-11-27", "2026-13-01T07:30", "07:30:61",
     "7h", "2026-11-27T25:00", "-07:30", "٠٧:٣٠", "9999-12-31T23:59"],
)  # fmt: skip
def test_garbage_is_refused(text: Any) -> None:
    with pytest.raises(SpecError) as caught:
        until_time(text, now=NOW)
    assert caught.value.code == "ADC-RUN-006"
    assert "give HH:MM" in str(caught.value)


@pytest.mark.parametrize("ago", [1.0, 5.0, 600.0, 3 * HOUR])
def test_a_time_of_day_that_has_just_passed_is_not_that_of_tomorrow(ago: Any) -> None:
    text = datetime.datetime.fromtimestamp(NOW - ago).strftime("%H:%M:%S")
    with pytest.raises(SpecError, match="this time has passed") as caught:
        until_time(text, now=NOW)
    assert caught.value.code == "ADC-RUN-071"
    assert "--until 2026-11-27T" in str(caught.value)


def test_a_time_of_day_that_passed_in_the_morning_is_that_of_tomorrow() -> None:
    assert until_time("07:30", now=local(26, 17)) == local(27, 7, 30)


def test_a_date_that_has_passed_is_refused() -> None:
    with pytest.raises(SpecError, match="still to come"):
        until_time("2026-11-20T07:30", now=NOW)


def test_a_time_the_folder_was_asked_for_before_is_over() -> None:
    """A loop that starts the same command again ends the study; it does not train until tomorrow."""
    passed = local(26, 21, 59, 55)
    assert until_time("21:59:55", lambda: (passed,), now=NOW) == passed
    assert until_time("2026-11-26T21:59:55", lambda: (passed,), now=NOW) == passed
    with pytest.raises(SpecError):
        until_time("21:59:55", lambda: (passed - 24 * HOUR,), now=NOW)


def test_the_command_refuses_what_has_passed_and_writes_nothing(
    autodc: Any, finished: Any, inline: Any, tmp_path: Path
) -> None:
    just = datetime.datetime.fromtimestamp(time.time() - 5).isoformat(timespec="seconds")
    said = autodc("run", finished[0], "--machine", inline, "--out", tmp_path / "o", "--until", just)
    assert said.code == 2
    assert "ADC-RUN-071" in said.err
    assert not (tmp_path / "o").exists()


@pytest.mark.slow
def test_a_study_that_ended_by_the_clock_says_how_to_go_on(autodc: Any, inline: Any, tmp_path: Path) -> None:
    from autodc.testing.worlds.cells import write_world

    study = write_world(tmp_path, budget__trainings=5000, loop__rounds=9, search__trials_per_round=900)
    words = ["run", study, "--machine", inline, "--out", tmp_path / "out"]
    end = datetime.datetime.fromtimestamp(time.time() + 6).isoformat(timespec="seconds")
    said = autodc(*words, "--until", end)
    if said.code == 130:  # a machine so busy that the start was not measured in time
        assert "before the model the study begins with was measured" in said.err
        return
    assert said.code == 0, said.err
    assert "stopped because: until" in said.out
    assert "--set budget.trainings=5500" in said.out
    again = autodc(*words, "--until", end)
    assert again.code == 0, again.err
