"""What is no file, and a user's own function: told at once, and never waited for."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

NAMES = ["t.csv", "t.tsv", "t.csv.gz", "t.parquet", "t.jsonl", "t.npz"]


@pytest.mark.parametrize("name", NAMES)
def test_a_pipe_is_not_waited_for(tmp_path: Path, refused: Any, name: Any) -> None:
    os.mkfifo(tmp_path / name)
    assert refused(name).code == "ADC-DATA-046"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_not_read(tmp_path: Path, refused: Any, name: Any, device: Any) -> None:
    (tmp_path / name).symlink_to(device)
    assert refused(name).code == "ADC-DATA-046"


def test_a_socket(tmp_path: Path, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket may not be long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("t.csv")
        assert refused("t.csv").code == "ADC-DATA-046"


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_by_the_name_of_a_file(tmp_path: Path, refused: Any, name: Any) -> None:
    (tmp_path / name).mkdir()
    problem = refused(name)
    assert problem.code.startswith("ADC-DATA-")
    assert "folder" in str(problem) or "manifest" in str(problem)


@pytest.mark.parametrize("name", NAMES)
def test_links_are_followed_and_told_where_they_lead_nowhere(tmp_path: Path, refused: Any, name: Any) -> None:
    (tmp_path / name).symlink_to("/store/ab12")
    problem = refused(name)
    assert problem.code == "ADC-DATA-001"
    assert "/store/ab12" in problem.got
    (tmp_path / f"loop-{name}").symlink_to(f"loop-{name}")
    assert refused(f"loop-{name}").code in ("ADC-DATA-001", "ADC-DATA-047")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "before", ["\0", "d" * 5000, "/".join(["d"] * 3000)], ids=["NUL", "a long name", "a long path"]
)
def test_a_path_that_no_system_can_open(refused: Any, name: Any, before: Any) -> None:
    source = before + name
    with pytest.raises(Exception, match=r"ADC-DATA-047") as caught:
        refused_by = refused(source)
        raise refused_by
    assert len(str(caught.value)) < 1000
    assert "\0" not in str(caught.value)


@pytest.mark.parametrize("name", ["naïve – “x”.csv", "two words.csv", "-dash.csv", "a,b;c.csv", "NA.CSV"])
def test_unusual_names_are_names(right: Any, name: Any) -> None:
    right(name, "a,target\n1,0\n2,1\n", {"a": ("integer", [1, 2])})


def test_a_link_to_a_table_is_the_table(tmp_path: Path, right: Any, read: Any) -> None:
    right("0001", "a,target\n1,0\n2,1\n", {"a": ("integer", [1, 2])}) if False else None
    (tmp_path / "0001").write_text("a,target\n1,0\n2,1\n")
    (tmp_path / "t.csv").symlink_to("0001")
    assert read("t.csv").x.frame()["a"].tolist() == [1, 2]
