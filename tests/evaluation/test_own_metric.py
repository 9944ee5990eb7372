"""A metric of a user's own: what it owes, what it may do wrong, and the direction it names."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.errors import SpecError
from autodc.evaluation.metrics import find_metric
from autodc.evaluation.own_metric import MetricError
from autodc.evaluation.rehearsal import rehearse
from autodc.evaluation.slices import Slice, SliceTable

TRUTH = np.array([1.0, 2.0, 4.0, 8.0])
GUESS = np.array([1.0, 3.0, 3.0, 6.0])


@pytest.fixture
def metric(tmp_path: Path) -> Any:
    """Write `mine.py` with a class and load it as a study would."""

    def made(body: Any, name: Any = "mine.py:Mine", kind: Any = "regression") -> Any:
        text = "import numpy as np\n\nclass Mine:\n" + textwrap.indent(textwrap.dedent(body), "    ")
        (tmp_path / "mine.py").write_text(text)
        return find_metric(name, kind, str(tmp_path))

    return made


def table(targets: Any, **slices: Any) -> Any:
    rows = slices or {"overall": np.arange(len(targets))}
    held = tuple(
        Slice(name=n, role="target", margin=None, weight=1.0, part="validation", rows=np.asarray(r), clusters=None)
        for n, r in rows.items()
    )
    return SliceTable(slices=held, targets={"validation": np.asarray(targets)})


VALUE = "\ndef value(self, outputs, targets):\n    return float(np.abs(outputs - targets).mean())\n"


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_the_two_directions_are_taken_as_they_are_written(metric: Any, better: Any) -> None:
    mine = metric(f"better = {better!r}" + VALUE)
    assert mine.better == better
    assert mine.value(GUESS, TRUTH) == (1.0 if better == "higher" else -1.0)
    assert mine.natural(mine.value(GUESS, TRUTH)) == 1.0


@pytest.mark.parametrize(
    ("better", "meant"),
    [
        ("'up'", "higher"),
        ("'Higher'", "higher"),
        ("'HIGHER'", "higher"),
        ("'higher '", "higher"),
        ("'max'", "higher"),
        ("'maximize'", "higher"),
        ("'greater'", "higher"),
        ("'MIN'", "lower"),
        ("'Lower'", "lower"),
        ("'down'", "lower"),
        ("'minimise'", "lower"),
        ("'smaller'", "lower"),
    ],
)
def test_a_direction_in_other_words_is_refused_with_what_was_meant(metric: Any, better: Any, meant: Any) -> None:
    with pytest.raises(SpecError) as caught:
        metric(f"better = {better}" + VALUE)
    assert (caught.value.code, caught.value.place) == ("ADC-METRIC-060", "metrics.primary")
    assert caught.value.hint == f"did you mean `{meant}`?"
    assert better in caught.value.got


@pytest.mark.parametrize(
    "better", ["None", "1", "True", "-1", "0.5", "''", "'sideways'", "['higher']", "np.nan", "len", "b'higher'"]
)
def test_what_is_no_direction_is_refused(metric: Any, better: Any) -> None:
    with pytest.raises(SpecError) as caught:
        metric(f"better = {better}" + VALUE)
    assert caught.value.code == "ADC-METRIC-060"
    assert "'higher'" in caught.value.hint
    assert "'lower'" in caught.value.hint


UNFIT = {
    "no better": ("def value(self, o, t):\n    return 1.0", "ADC-METRIC-003", "has no `better`"),
    "no value": ("better = 'lower'", "ADC-METRIC-003", "has no `value`"),
    "value is a number": ("better = 'lower'\nvalue = 3", "ADC-METRIC-061", "a int"),
    "value of one argument": ("better = 'lower'\ndef value(self, o):\n    return 1.0", "ADC-METRIC-061", "value(o)"),
    "value of three": (
        "better = 'lower'\ndef value(self, o, t, w):\n    return 1.0",
        "ADC-METRIC-061",
        "value(o, t, w)",
    ),
    "rows is an array": ("better = 'lower'\nrows = np.ones(3)" + VALUE, "ADC-METRIC-061", "a ndarray"),
    "rows of one argument": ("better = 'lower'\ndef rows(self, o):\n    pass" + VALUE, "ADC-METRIC-061", "rows(o)"),
    "a constructor that fails": (
        "better = 'lower'\ndef __init__(self):\n    self.scale = 1 / 0" + VALUE,
        "ADC-METRIC-003",
        "mine.py:6: ZeroDivisionError: division by zero",
    ),
    "a constructor with arguments": (
        "better = 'lower'\ndef __init__(self, beta):\n    pass" + VALUE,
        "ADC-METRIC-003",
        "missing 1 required positional argument: 'beta'",
    ),
    "a property that fails": (
        "@property\ndef better(self):\n    return {}['way']" + VALUE,
        "ADC-METRIC-003",
        "mine.py:6: KeyError: 'way'",
    ),
    "a body that ends the program": ("raise SystemExit(3)", "ADC-METRIC-003", "mine.py:4: SystemExit(3)"),
    "syntax": ("def value(:", "ADC-METRIC-003", "mine.py:4: SyntaxError: invalid syntax"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_is_no_metric_is_refused_by_its_own_line(metric: Any, case: Any) -> None:
    body, code, words = UNFIT[case]
    with pytest.raises(SpecError) as caught:
        metric(body)
    assert caught.value.code == code
    assert words in caught.value.got
    assert caught.value.place == "metrics.primary"


def test_an_instance_and_functions_in_a_module_namespace_will_do(tmp_path: Path, metric: Any) -> None:
    (tmp_path / "made.py").write_text(
        "class Error:\n    def __init__(self, power):\n        self.power = power\n    better = 'lower'\n"
        "    def value(self, outputs, targets):\n        return (abs(outputs - targets) ** self.power).mean()\n"
        "squared = Error(2)\n"
    )
    assert find_metric("made.py:squared", "regression", str(tmp_path)).value(GUESS, TRUTH) == -1.5
    (tmp_path / "plain.py").write_text(
        "import types\nbias = types.SimpleNamespace(better='lower', value=lambda o, t: abs((o - t).mean()))\n"
    )
    assert find_metric("plain.py:bias", "regression", str(tmp_path)).value(GUESS, TRUTH) == -0.5


def test_a_metric_of_a_package_and_of_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scores_of_ours.py").write_text(
        "class Count:\n    better = 'higher'\n    def value(self, outputs, targets):\n        return len(targets)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_metric("scores_of_ours:Count", "regression", "/nowhere").value(GUESS, TRUTH) == 4.0
    installed = tmp_path / "scores_of_ours-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: scores-of-ours\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[autodc.metrics]\nrows_seen = scores_of_ours:Count\n")
    assert find_metric("rows_seen", "regression", "/nowhere").value(GUESS, TRUTH) == 4.0


@pytest.mark.parametrize(
    "error", ["OSError('no file')", "RuntimeError('no GPU')", "AssertionError", "SystemExit(0)", "MemoryError"]
)
def test_whatever_value_raises_is_the_metrics_own_error(metric: Any, error: Any) -> None:
    mine = metric(f"better = 'lower'\ndef value(self, outputs, targets):\n    raise {error}")
    with pytest.raises(MetricError) as caught:
        mine.value(GUESS, TRUTH)
    assert caught.value.got.startswith(f"mine.py:6: {error.partition('(')[0]}")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("answer", ["None", "'0.5'", "[0.5]", "np.ones(4)", "{'loss': 1}", "1j"])
def test_a_value_that_is_no_number_is_told(metric: Any, answer: Any) -> None:
    mine = metric(f"better = 'lower'\ndef value(self, outputs, targets):\n    return {answer}")
    with pytest.raises(MetricError) as caught:
        mine.value(GUESS, TRUTH)
    assert caught.value.code == "ADC-METRIC-063"


@pytest.mark.parametrize("answer", ["1", "True", "np.float32(1)", "np.array(1.0)", "np.int64(1)"])
def test_a_value_that_is_a_number_of_any_type_will_do(metric: Any, answer: Any) -> None:
    mine = metric(f"better = 'lower'\ndef value(self, outputs, targets):\n    return {answer}")
    assert mine.value(GUESS, TRUTH) == -1.0


@pytest.mark.parametrize("answer", ["1.0", "np.ones(3)", "np.ones((4, 1))", "['a'] * 4", "None", "[[1], [1, 2], 3, 4]"])
def test_rows_that_are_not_one_number_a_row_are_told(metric: Any, answer: Any) -> None:
    mine = metric(f"better = 'lower'\ndef rows(self, outputs, targets):\n    return {answer}" + VALUE)
    with pytest.raises(MetricError) as caught:
        mine.rows(GUESS, TRUTH)
    assert caught.value.code == "ADC-METRIC-063"


def test_a_metric_that_works_in_place_spoils_nothing(metric: Any) -> None:
    mine = metric(
        "better = 'lower'\ndef value(self, outputs, targets):\n    outputs -= targets\n    targets *= 0\n"
        "    return float(np.abs(outputs).mean())\n"
    )
    outputs, targets = GUESS.copy(), TRUTH.copy()
    assert mine.value(outputs, targets) == mine.value(outputs, targets) == -1.0
    assert (outputs == GUESS).all()
    assert (targets == TRUTH).all()


def test_a_metric_without_a_number_where_a_row_is_left_out_is_the_users_own(metric: Any) -> None:
    mine = metric(
        "better = 'lower'\ndef value(self, outputs, targets):\n    return 1.0 if len(targets) == 4 else np.nan"
    )
    with pytest.raises(MetricError) as caught:
        mine.rows(GUESS, TRUTH)
    assert "with any one row left out" in caught.value.problem


LABELS = np.arange(90) % 3


def test_what_fails_on_every_training_is_found_before_the_first(metric: Any) -> None:
    mine = metric(
        "better = 'higher'\ndef value(self, outputs, targets):\n    return outputs[:, 3].mean()", kind="classification"
    )
    with pytest.raises(MetricError) as caught:
        rehearse(mine, table(LABELS, all=np.arange(90)), "classification", 3, 0)
    assert caught.value.got.startswith("mine.py:6: IndexError: index 3 is out of bounds")
    assert caught.value.hint == (
        "tried on stand-in predictions of slice all: outputs of shape (90, 3), targets of shape (90,)"
    )


def test_a_slice_on_which_a_metric_is_not_defined_is_found(metric: Any) -> None:
    body = "better = 'higher'\ndef value(self, outputs, targets):\n    from sklearn.metrics import f1_score\n"
    body += "    assert len(set(targets)) > 1, 'one class'\n"
    body += "    return f1_score(targets, outputs.argmax(1), average='macro')\n"
    mine = metric(body, kind="classification")
    assert rehearse(mine, table(LABELS), "classification", 3, 0) == []
    with pytest.raises(MetricError) as caught:
        rehearse(mine, table(LABELS, overall=np.arange(90), zeros=np.arange(0, 90, 3)), "classification", 3, 0)
    assert "slice zeros" in caught.value.hint
    assert "mine.py:7: AssertionError: one class" in caught.value.got


def test_rows_whose_mean_is_not_the_value_are_refused(metric: Any) -> None:
    body = "better = 'lower'\ndef rows(self, outputs, targets):\n    return (outputs - targets) ** 2" + VALUE
    with pytest.raises(MetricError) as caught:
        rehearse(metric(body), table(np.arange(50.0)), "regression", 0, 0)
    assert caught.value.code == "ADC-METRIC-064"
    rounded = "better = 'lower'\ndef rows(self, outputs, targets):\n    return np.abs(outputs - targets)\n"
    rounded += "def value(self, outputs, targets):\n    return round(float(np.abs(outputs - targets).mean()), 1)"
    assert rehearse(metric(rounded), table(np.arange(50.0)), "regression", 0, 0) == []


def test_stand_ins_of_values_stay_in_their_range_and_no_number_is_a_doubt_alone(metric: Any) -> None:
    body = "better = 'lower'\ndef value(self, outputs, targets):\n    assert outputs.min() >= 1\n    return np.nan"
    (words,) = rehearse(metric(body), table(np.arange(1, 50)), "regression", 0, 0)
    assert "metric Mine is no finite number for stand-in predictions of overall" in words


def test_stand_ins_of_images_have_the_shape_of_the_targets(metric: Any) -> None:
    body = "better = 'higher'\ndef value(self, outputs, targets):\n    return -np.abs(outputs - targets).mean()"
    images = np.random.default_rng(0).integers(0, 255, (6, 4, 4), dtype=np.uint8)
    assert rehearse(metric(body, kind="image_to_image"), table(images), "image_to_image", 0, 0) == []
