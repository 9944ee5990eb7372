"""Whatever stands in the file, reading it gives a spec or problems with a place; never another error."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodc.errors import AutodcError, InputError, Problems
from autodc.studyfile import dump, load
from autodc.studyfile.load import draft

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["target", "dark", "fog", "base", "sgd", "concat", "1e400", "yes", "~", "lr"])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "source", "when", "lr", "role", "x", "nmae"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def nodes(value: Any) -> list[Any]:
    """Every node of a JSON tree, parents first."""
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(node for child in below for node in nodes(child))]


def _outcome(path: Path) -> None:
    """Read the file; it is a spec that survives a round trip, or problems that each have a place in it."""
    try:
        spec = load(path)
    except InputError as error:
        for problem in error.problems if isinstance(error, Problems) else (error,):
            assert problem.code.startswith("ADC-SPEC-")
            assert problem.place.startswith(str(path))
            assert problem.problem
        _looked_at(path, str(error))
    else:
        path.write_text(json.dumps(dump(spec)))
        assert load(path).fingerprint() == spec.fingerprint()


def _looked_at(path: Path, told: str) -> None:
    """What `load` refuses can be looked at as far as it goes, and the same is told of it."""
    try:
        looked = draft(path)
    except InputError as again:
        found: tuple[AutodcError, ...] = (again,)
    else:
        found = looked.problems
        assert looked.spec is None or looked.spec.targets
    assert all(str(one) in told for one in found[:20])


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_any_node_may_be_anything(tree: Any, data: Any) -> None:
    _anything(tree, data)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_any_node_may_be_anything_at_length(tree: Any, data: Any) -> None:
    _anything(tree, data)


def _anything(tree: dict[str, Any], data: st.DataObject) -> None:
    changed = copy.deepcopy(tree)
    for _ in range(data.draw(st.integers(1, 3))):
        parent = data.draw(st.sampled_from([v for v in nodes(changed) if isinstance(v, dict | list) and v]))
        key = data.draw(st.sampled_from(list(parent) if isinstance(parent, dict) else list(range(len(parent)))))
        parent[key] = data.draw(VALUES)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.yaml"
        file.write_text(json.dumps(changed), encoding="utf-8")
        _outcome(file)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(cut=st.integers(0, 900), put=st.text(max_size=6), drop=st.integers(0, 6))
def test_any_slip_of_the_keyboard(tree: Any, cut: Any, put: Any, drop: Any) -> None:
    text = json.dumps(tree, indent=1).replace('"', "")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.yaml"
        file.write_bytes((text[:cut] + put + text[cut + drop :]).encode("utf-8"))
        _outcome(file)
