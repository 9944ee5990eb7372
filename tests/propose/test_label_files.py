"""Files of labels that somebody filled in, as they are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autodc.adapters.label_files import read_label_file
from autodc.errors import DataError


def test_many_ids_of_a_mapping_are_counted_once_and_one_that_is_twice_is_told(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    many = {str(n): n % 10 for n in range(20_000)}  # seconds where every id is counted among all
    path.write_text(json.dumps(many))
    assert len(read_label_file(path, ("label",), "here").ids) == 20_000
    path.write_text('{"a": 1, "b": 2, "a": 3}')
    with pytest.raises(DataError) as told:
        read_label_file(path, ("label",), "here")
    assert (told.value.code, told.value.got) == ("ADC-PROP-077", "id a twice")


def test_nothing_in_several_columns_is_nothing_said(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"id": 1, "a": null, "b": null}\n{"id": 2, "a": 3, "b": 4}\n{"id": 3, "a": "?", "b": "?"}\n')
    assert read_label_file(path, ("a", "b"), "here").labels == ("", [3, 4], ["?", "?"])


def test_the_last_line_of_a_file_that_is_being_written_counts_once_it_ends(tmp_path: Path) -> None:
    for name, text in (("a.csv", "id,label\na,1\nb,12"), ("a.jsonl", '{"id": "a", "label": 1}\n{"id": "b", "la')):
        path = tmp_path / name
        path.write_text(text)
        assert read_label_file(path, ("label",), "here", is_growing=True).ids == ("a",)
    assert read_label_file(tmp_path / "a.csv", ("label",), "here").labels == ("1", "12")
