"""Finders by name: the usual ones look always, others beside them where they are asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from autodc.adapters.finders.registry import USUAL, finders_of
from autodc.errors import AutodcError

OWN = """
from autodc.diagnose.finder import Suspicion
from autodc.diagnose.rule import Range, Rule

class Cold:
    name = "cold"

    def find(self, view, k, seed):
        return [Suspicion(rule=Rule((Range(attribute="heat", high=-3.0),)), score=1.0, by=self.name)][:k]

ready = Cold()
words = "no finder"

class Broken:
    def __init__(self):
        raise RuntimeError("no weights")
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "mine.py").write_text(OWN)
    return str(tmp_path)


def test_usual_ones_look_always_and_each_once(folder: str) -> None:
    assert finders_of([], folder) == USUAL
    assert finders_of(["beam", "tree"], folder) == USUAL
    names = [one.name for one in finders_of(["mine.py:Cold", "mine.py:ready"], folder)]
    assert names == ["beam", "classes", "tree", "clusters", "cold", "cold"]
    assert [one.name for one in finders_of(["hdbscan", "hdbscan"], folder)][len(USUAL) :] == ["hdbscan"]
    own = finders_of(["mine.py:ready"], folder)[-1]
    assert finders_of([own, own], folder) == (*USUAL, own)


def test_a_file_is_looked_for_from_here_first(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert finders_of(["mine.py:Cold"], "nowhere")[-1].name == "cold"


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("slicelin", "ADC-DIAG-024", "did you mean sliceline?"),
        ("mine.py:Colder", "ADC-DIAG-024", "mine.py has no Colder"),
        ("other.py:Cold", "ADC-DIAG-024", "there is no file other.py"),
        ("mine.py:Broken", "ADC-DIAG-024", "RuntimeError: no weights"),
        ("mine.py:words", "ADC-DIAG-025", "a str without `find`"),
    ],
)
def test_what_is_no_finder_is_told_in_one_message(folder: str, name: str, code: str, says: str) -> None:
    with pytest.raises(AutodcError) as caught:
        finders_of([name], folder)
    assert caught.value.code == code
    assert says in str(caught.value)


def test_sliceline_without_its_library_is_told_before_anything_is_read(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sliceline.slicefinder", None)
    with pytest.raises(AutodcError) as caught:
        finders_of(["sliceline"], folder)
    assert caught.value.code == "ADC-DIAG-023"
