"""Files other than the base are read in the types of the base, or told where they do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from autodc.data.agreement import agreed

BASE = {"n": "integer", "z": "number", "c": "category", "f": "boolean", "d": "date", "t": "text"}


def test_another_file_is_read_in_the_types_of_the_base(right: Any) -> None:
    """Whatever its own rows look like: other order, other columns, another way of writing."""
    content = "d;more;c;n;t;z;f;target\n2024-01-05;1;7;NA;12;1,5;1;0\nNA;2;007;3.0;;NA;;1\n"
    right(
        "t.csv",
        content,
        {
            "n": ("integer", [None, 3]),
            "z": ("number", [1.5, None]),
            "c": ("category", ["7", "007"]),
            "f": ("boolean", [True, None]),
            "d": ("date", ["2024-01-05", None]),
            "t": ("text", ["12", None]),
        },
        schema=BASE,
    )


def test_a_column_of_nothing_has_the_type_of_the_base(right: Any) -> None:
    content = "n,z,c,f,d,t,target\n" + "NA,,,,,,0\n" * 2
    right("t.csv", content, {name: (kind, [None, None]) for name, kind in BASE.items()}, schema=BASE)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("n", "2.5", "found row 1: 2.5"),
        ("n", "many", "found row 1: 'many'"),
        ("z", "1,5 €", "found row 1: '1,5 €'"),
        ("f", "perhaps", "found row 1: 'perhaps'"),
        ("d", "05.01.2024", "found row 1: '05.01.2024'"),
    ],
)
def test_a_value_that_is_not_of_the_type_of_the_base(refused: Any, column: Any, value: Any, words: Any) -> None:
    good = {"n": "1", "z": "0.5", "c": "x", "f": "true", "d": "2024-01-05", "t": "some words"}
    rows = [good, {**good, column: value}, good]
    table = pd.DataFrame([{**row, "target": "k"} for row in rows])
    problem = refused("t.csv", table.to_csv(index=False), schema=BASE)
    assert problem.code == "ADC-DATA-091"
    assert f"column `{column}` holds a value that is not" in str(problem)
    assert words in str(problem)
    assert "give the base another type with options: {types: {" in problem.hint


def test_columns_of_the_base_that_are_not_there(refused: Any) -> None:
    problem = refused("t.csv", "n,zz,target\n1,2,0\n", schema={"n": "integer", "z": "number"})
    assert (problem.code, problem.got) == ("ADC-DATA-020", "z; columns here: n, zz, target")


@pytest.mark.parametrize(
    ("base", "other", "kind", "labels"),
    [
        ("x,y", "1,2", "category", ["1", "2"]),
        ("01,02", "1,2", "category", ["1", "2"]),
        ("1,2", "a,2", "integer", None),
        ("1,2", "001,002", "integer", [1, 2]),
        ("yes,no", "True,False", "category", ["True", "False"]),
    ],
)
def test_labels_of_another_type_are_told_with_the_way_on(
    tmp_path: Path, read: Any, refused: Any, base: Any, other: Any, kind: Any, labels: Any
) -> None:
    for name, values in (("base", base), ("other", other)):
        rows = "".join(f"{i}.5,{value}\n" for i, value in enumerate(values.split(",")))
        (tmp_path / f"{name}.csv").write_text(f"a,label\n{rows}")
    first = read("base.csv", target="label")
    _, (problem,) = agreed(read("other.csv", target="label"), first, "here")
    assert problem.code == "ADC-DATA-022"
    assert f"options: {{types: {{its target column: {kind}}}}}" in problem.hint
    if labels is None:
        assert "found row 0: 'a'" in str(refused("other.csv", target="label", types={"label": kind}))
    else:
        again = read("other.csv", target="label", types={"label": kind})
        assert (agreed(again, first, "here")[1], again.y.tolist()) == ([], labels)
