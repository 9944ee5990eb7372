"""What a person sees: tables that fit, words that stay whole, characters that the stream can write."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from autodc.cli.live import Display
from autodc.cli.show_status import show_status
from autodc.cli.show_why import show_why
from autodc.cli.terminal import Column, print_table
from autodc.review.status import status
from autodc.study.journal import events as ev
from autodc.study.journal.fold import apply, fold
from autodc.verbs.outputs import open_result

COLUMNS = (
    Column(name="dataset"),
    Column(name="verdict"),
    Column(name="weight", right=True, drop=1),
    Column(name="interval", right=True),
    Column(name="why", drop=2),
)
WHY = "A target slice got better by more than chance explains."
ROWS = [
    ["dark_streets", Text("keep"), "1.60", "+0.021 … +0.060", WHY],
    ["fog", Text("undecided"), "", "-0.011 … +0.013", WHY],
]


def printed(width: Any, rows: Any = ROWS) -> list[str]:
    out = io.StringIO()
    print_table(Console(file=out, width=width), COLUMNS, rows, "verdicts")
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("width", "names"),
    [
        (200, ["dataset", "verdict", "weight", "interval", "why"]),
        (80, ["dataset", "verdict", "weight", "interval"]),
        (50, ["dataset", "verdict", "interval"]),
    ],
)
def test_columns_without_room_stand_below_the_table(width: Any, names: Any) -> None:
    lines = printed(width)
    assert max(map(len, lines)) <= width
    assert lines[2].strip("┃ ").split() == [*"┃".join(f" {n} " for n in names).split()]
    below = " ".join(" ".join(lines[4 + len(ROWS) + 1 :]).split())
    assert ("why" in names) == (below == "")
    if below:
        assert below.startswith("dark_streets: ")
        assert all(f"why {WHY}" in below for _ in ROWS)
    assert ("weight 1.60" in below) == ("weight" not in names)


@pytest.mark.parametrize("width", [24, 40, 60, 80, 100, 200])
def test_no_cell_vanishes_at_any_width(width: Any) -> None:
    told = " ".join(" ".join(printed(width)).replace("│", " ").split())
    for row in ROWS:
        for cell in row:
            assert all(word in told for word in str(cell).split())


def test_a_long_name_of_a_column_goes_over_lines_before_a_column_leaves() -> None:
    out = Console(width=40, file=io.StringIO())
    columns = [Column(name="slice"), Column(name="four times the rows", right=True, drop=1), Column(name="any number")]
    print_table(out, columns, [["overall", "0.012", "0.031"]])
    told = out.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, told.splitlines())) <= 40
    assert told.rstrip().endswith("┘")


def test_where_nothing_can_be_left_out_a_row_is_a_few_lines() -> None:
    name = "a_dataset_with_a_name_of_nearly_eighty_characters_which_is_as_long_as_it_may_be"
    lines = printed(60, [[name, *ROWS[0][1:]]])
    assert lines[1] == name
    assert " ".join(" ".join(lines[2:]).split()) == f"verdict keep, weight 1.60, interval +0.021 … +0.060, why {WHY}"


@pytest.mark.parametrize("width", [60, 80, 118, 10_000])
def test_every_cell_is_on_one_line(width: Any) -> None:
    text = "\n".join(printed(width))
    for row in ROWS:
        assert row[0] in text
        assert row[3] in text


@pytest.mark.slow
def test_a_log_is_not_wrapped(autodc: Any, finished: Any, inline: Any) -> None:
    study, folder, _ = finished
    said = autodc("run", study, "--machine", inline, "--out", folder)
    told = [line for line in said.out.splitlines() if "│ lamps" in line]
    assert len(told) >= 1
    assert "better" in told[0]
    assert told[0].rstrip().endswith("│")


#: Two commands in one process, which takes long to start.
WHY_AND_STATUS = """
import sys
from autodc.cli import main
for words in (["why", sys.argv[1], "lamps"], ["status", sys.argv[1]]):
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as end:
        assert not end.code, (words, end.code)
    sys.argv[1:] = [words[1]]
    print("THE NEXT")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "encoding", ["ascii", *(pytest.param(e, marks=pytest.mark.slow) for e in ("latin-1", "cp1252"))]
)
def test_a_stream_without_unicode_gets_plain_characters(finished: Any, encoding: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WHY_AND_STATUS, str(finished[1])],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    why, status, _ = done.stdout.decode(encoding).split("THE NEXT")
    assert "lamps" in why
    assert "lamps" in status
    if encoding != "cp1252":
        assert "…" not in why + status
        assert "..." in why
        assert "..." not in status


@pytest.mark.slow
def test_a_reader_that_leaves_is_no_defect(finished: Any) -> None:
    program = "import sys; from autodc.cli import main; main()"
    words = [sys.executable, "-c", program, "why", str(finished[1]), "lamps"]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(words, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == ""


def test_status_of_a_study_that_has_just_begun_says_only_what_is_known(
    finished: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    state, _ = open_result(finished[1])
    begun = fold([state.question, ev.SessionStarted(time=1.0, slots=2, machine={})])
    show_status(status(begun, now=1.0), "run")
    told = capsys.readouterr().out
    assert "begun, nothing was trained yet" in told
    calibrating = ev.PhaseStarted(time=1.0, round=0, phase="calibration", planned=6)
    apply(begun, calibrating)
    show_status(status(begun, now=61.0), "run")
    told += capsys.readouterr().out
    assert "measuring the noise of the start" in told
    assert "how much is left is not known yet" in told
    for lie in ("round 0", "None", " 0 s used", "? left", "not running"):
        assert lie not in told


def test_a_folder_that_is_not_there_names_the_one_that_was_meant(autodc: Any, finished: Any) -> None:
    _, folder, _ = finished
    said = autodc("status", folder.parent / "ouut")
    assert said.code == 2
    assert "nothing of that name" in said.err
    assert f"did you mean {folder}?" in said.err
    assert "--out" in autodc("status", folder / "report").err


def test_words_of_other_peoples_code_are_printed_as_they_stand(capsys: pytest.CaptureFixture[str]) -> None:
    words = "no column [/red] in [bold]index[/bold], mine.py:100: :smile:"
    show_why(
        {
            "dataset": "fog",
            "verdict": "undecided",
            "alarms": [words],
            "summary": words,
            "comparisons": [],
            "search": None,
            "labels": [words],
        }
    )
    Display("t").say(words)
    told = capsys.readouterr()
    assert told.out.splitlines() == ["fog: undecided", words, words, f"Labels: {words}."]
    assert told.err.rstrip().endswith(words)


@pytest.mark.parametrize("width", [80, 66])
def test_a_column_that_wraps_leaves_room_for_the_others(width: int) -> None:
    long = "dark_share at least 0.48 and below 0.672 and orientation below -6"
    out = Console(width=width, file=io.StringIO(), highlight=False, markup=False, emoji=False)
    columns = (
        Column(name=""),
        Column(name="where it fails", wraps=True),
        Column(name="inside", right=True),
        Column(name="elsewhere", right=True, drop=1),
        Column(name="worse by, 95%", right=True),
        Column(name="rows", right=True, drop=2),
    )
    print_table(out, columns, [["F1", "angle below -40", "83%", "50%", "+11 to +61", "30"], ["F3", long, *"abcd"]])
    told = out.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, told.splitlines())) <= width
    assert all(word in told for word in long.split())
    assert "83%" in told
    assert ("F3: elsewhere b, rows d" in told) == (width == 66)
    assert told.count("F3") == (1 if width == 80 else 2)
