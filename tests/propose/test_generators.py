"""Generators of ours keep the contract, and their parameters do what they are called."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_wine

from autodc.adapters.enrichers.image import FittedImage
from autodc.adapters.generators import generator_of
from autodc.adapters.generators.image import PARAMETERS, ImageGenerator, ImageOptions
from autodc.adapters.generators.table import TableGenerator, TableOptions
from autodc.adapters.generators.text import TextGenerator, TextOptions
from autodc.data.attributes import Rows
from autodc.errors import SpecError
from autodc.propose.generator import Asked, Base
from autodc.propose.synthetic import test_set as write_test_set
from autodc.table import Table
from autodc.testing.generator_contract import GeneratorContract
from autodc.trial.call import CallError
from tests.propose.generating import SENSOR, digits, sensors
from tests.propose.test_paraphrase import SAID

TEXTS = [
    "The film was really great, a beautiful story.",
    "What an awful movie! Nothing in it was funny.",
    "I like the new car; it is fast and not expensive.",
    "Terrible service, and the answer came too late.",
]
PROGRAM = """
import json, sys
import numpy as np
parameters, rows, seed, out = json.load(open(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
r = np.random.default_rng(seed)
x = r.normal(parameters["level"], 1, (rows, 4)).astype(np.float32)
np.savez(out, x=x, y=(x[:, 0] > 0).astype(int), level=np.full(rows, parameters["level"]))
"""


def nothing(rows: int) -> pd.DataFrame:
    return pd.DataFrame(index=range(rows))


def pictures() -> Base:
    x, y = digits()
    return Base(x=x[:30], y=y[:30], metadata=nothing(30), classes=tuple(range(10)))


def wine() -> pd.DataFrame:
    frame = load_wine(as_frame=True).data.copy()
    frame["colour"] = np.where(frame["hue"] > 1, "red", "dark")
    frame["proline"] = frame["proline"].round().astype(int)
    frame.loc[::9, "ash"] = np.nan
    return frame


def columns() -> Base:
    frame = wine()
    types = ["integer" if n == "proline" else "category" if n == "colour" else "number" for n in frame]
    x = Table.of("table", frame, types)  # type: ignore[arg-type]
    return Base(x=x, y=load_wine().target, metadata=nothing(len(frame)), classes=(0, 1, 2))


class TestImage(GeneratorContract):
    @pytest.fixture
    def generator(self) -> Any:
        return ImageGenerator()

    @pytest.fixture
    def base(self) -> Base:
        return pictures()


class TestImageOfBytes(TestImage):
    @pytest.fixture
    def base(self) -> Base:
        x, y = digits()
        colours = np.repeat((x[:24, None] * 255).astype(np.uint8), 3, axis=1)  # channels first
        return Base(x=colours, y=y[:24], metadata=nothing(24), classes=tuple(range(10)))


class TestImageFiles(GeneratorContract):
    @pytest.fixture
    def generator(self) -> Any:
        return ImageGenerator(ImageOptions(vary=("rotation", "noise")))

    @pytest.fixture
    def base(self, tmp_path: Path) -> Base:
        x, y = digits()
        paths = []
        for at in range(20):
            Image.fromarray((x[at] * 255).astype(np.uint8)).save(tmp_path / f"{at}.png")
            paths.append(str(tmp_path / f"{at}.png"))
        return Base(x=Table.of_files(paths, paths), y=y[:20], metadata=nothing(20), classes=tuple(range(10)))


class TestTable(GeneratorContract):
    @pytest.fixture
    def generator(self) -> Any:
        return TableGenerator()

    @pytest.fixture
    def base(self) -> Base:
        return columns()


class TestText(GeneratorContract):
    @pytest.fixture
    def generator(self) -> Any:
        return TextGenerator(TextOptions(templates=("My friend says: {text}",)))

    @pytest.fixture
    def base(self) -> Base:
        return Base(x=Table.of_texts((TEXTS + SAID) * 3), y=np.array([1, 0] * 12), metadata=nothing(24), classes=(0, 1))


class TestOwn(GeneratorContract):
    @pytest.fixture
    def generator(self, tmp_path: Path) -> Any:
        (tmp_path / "gen.py").write_text(SENSOR)
        return generator_of("gen.py:Sensor", {}, str(tmp_path), "data.generators[0]")

    @pytest.fixture
    def base(self) -> Base:
        x, y, metadata = sensors(30, 1, 0.0, 0.0)
        return Base(x=x, y=y, metadata=metadata, classes=(0, 1))


def command(folder: Path, **more: Any) -> dict[str, Any]:
    (folder / "sim.py").write_text(PROGRAM)
    argv = [sys.executable, "sim.py", "{parameters}", "{rows}", "{seed}", "{out}"]
    return {"argv": argv, "parameters": {"level": {"type": "float", "low": -3, "high": 3}}, **more}


@pytest.mark.slow
class TestProgram(GeneratorContract):
    @pytest.fixture
    def generator(self, tmp_path: Path) -> Any:
        return generator_of("command", command(tmp_path), str(tmp_path), "data.generators[0]")

    @pytest.fixture
    def base(self) -> Base:
        x, y, metadata = sensors(30, 1, 0.0, 0.0)
        return Base(x=x, y=y, metadata=metadata, classes=(0, 1))


def test_a_program_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "gone.py").write_text("raise SystemExit('no licence for the renderer')")
    options = {"argv": [sys.executable, "-S", "gone.py", "{rows}", "{seed}", "{out}"]}
    with pytest.raises(CallError, match=r"(?s)the program failed.*exit 1.*no licence for the renderer"):
        generator_of("command", options, str(tmp_path), "data.generators[0]").generate({}, 3, 0)


@pytest.mark.parametrize(
    ("parameter", "value", "attribute", "grows"),
    [
        ("rotation", 30.0, "orientation", True),
        ("rotation", -30.0, "orientation", False),
        ("shift_x", 0.2, "offset_x", True),
        ("shift_y", 0.2, "offset_y", False),
        ("scale", 0.6, "object_size", False),
        ("brightness", 0.3, "brightness", False),
        ("contrast", 0.3, "contrast", False),
        ("background", 0.6, "background", True),
        ("blur", 0.1, "sharpness", False),
        ("noise", 0.3, "noise", True),
        ("stroke", 0.1, "ink", True),
        ("invert", True, "background", True),
        ("occlusion", 0.5, "occlusion", True),
        ("lighting", 0.9, "offset_x", False),
        ("style", "poster", "blocks", True),
        ("style", "halftone", "fine_detail", True),
        ("style", "sketch", "object_share", True),
        ("style", "paint", "fine_detail", False),
    ],
)
def test_a_picture_changes_in_what_the_parameter_says(parameter: str, value: Any, attribute: str, grows: bool) -> None:
    x, y = digits()
    small = np.pad(x[:60], ((0, 0), (4, 4), (4, 4)))
    out, _, _ = ImageGenerator(low=0.0, high=1.0).transform(small, y[:60], nothing(60), {parameter: value}, 1)
    before, after = (FittedImage(0.0, 1.0).attributes(Rows(x=one, metadata=nothing(60))) for one in (small, out))
    gain = float(np.nanmean(after[attribute]) - np.nanmean(before[attribute]))
    assert gain > 0 if grows else gain < 0
    assert parameter in PARAMETERS


def test_rows_of_a_table_lie_between_rows_of_their_class() -> None:
    frame, y = wine().dropna(), load_wine().target[wine().notna().all(axis=1)]
    generator = TableGenerator(TableOptions(vary=("step", "neighbours"))).fitted(frame, y)
    made, _, _, position = generator.transform(frame, y, nothing(len(frame)), {"step": 1.0, "neighbours": 3}, 0)
    assert position.tolist() == list(range(len(frame)))
    for kind in np.unique(y):
        own = frame[y == kind]
        assert (made[y == kind]["alcohol"] >= own["alcohol"].min()).all()
        assert (made[y == kind]["alcohol"] <= own["alcohol"].max()).all()
    assert made["proline"].dtype == frame["proline"].dtype
    assert set(made["colour"]) <= {"red", "dark"}
    moved = (made["alcohol"] - frame["alcohol"].to_numpy()).abs()
    assert 0 < moved.mean() < frame["alcohol"].std()


@pytest.mark.slow
def test_a_sampler_of_imbalanced_learn_makes_rows_in_its_place() -> None:
    pytest.importorskip("imblearn")
    frame, y = wine().drop(columns="ash"), load_wine().target
    generator = TableGenerator(TableOptions(sampler="SMOTENC")).fitted(frame, y)
    some = np.arange(0, len(y), 3)
    x, of = frame.iloc[some].reset_index(drop=True), y[some]
    made, labels, _, position = generator.transform(x, of, nothing(len(some)), {"step": 1.0, "neighbours": 4}, 0)
    assert made.shape == x.shape
    assert (made.dtypes == x.dtypes).all()
    assert (of[position] == labels).all()
    assert not made["alcohol"].isin(frame["alcohol"]).all()


def test_texts_change_by_rule() -> None:
    def changed(**used: float) -> list[str]:
        return TextGenerator().transform(TEXTS, np.zeros(4), nothing(4), used, 3)[0]

    assert changed(shout=1.0)[0] == TEXTS[0].upper()
    assert not any(set(",.;!") & set(text) for text in changed(no_punctuation=1.0))
    assert [len(text.split()) for text in changed(shorten=0.5)] == [4, 4, 6, 4]
    assert any(word in changed(synonyms=1.0)[0] for word in ("movie", "good", "fine", "lovely"))
    typed = changed(typos=0.5)
    assert typed != TEXTS
    assert [len(text.split()) for text in typed] == [len(text.split()) for text in TEXTS]


@pytest.mark.parametrize(
    ("name", "options", "code", "said"),
    [
        ("images", {}, "ADC-PROP-010", "did you mean image"),
        ("gone.py:Rain", {}, "ADC-PROP-010", "no file"),
        ("gen.py:Nothing", {}, "ADC-PROP-010", "no Nothing"),
        ("gen.py:thing", {}, "ADC-PROP-011", "this is no generator"),
        ("gen.py:Bad", {}, "ADC-PROP-012", "rain: low must be below high"),
        ("gen.py:Sensor", {"speed": 3}, "ADC-PROP-010", "takes no arguments"),
        ("image", {"varies": ["noise"]}, "ADC-PROP-014", "varies"),
        ("table", {"sampler": "SMOT"}, "ADC-PROP-014", "SMOTENC"),
        ("command", {}, "ADC-PROP-014", "argv"),
        ("command", {"argv": ["sim", "{rows}"]}, "ADC-PROP-014", "no argument holds"),
        (
            "command",
            {"argv": ["sim", "{rows}", "{seed}", "{out}", "{rain}"]},
            "ADC-PROP-014",
            "nothing is called {rain}",
        ),
    ],
)
def test_a_generator_that_cannot_be_had_is_told(
    tmp_path: Path, name: str, options: dict[str, Any], code: str, said: str
) -> None:
    more = "\nthing = 3\nclass Bad(Sensor):\n    parameters = {'rain': {'type': 'float', 'low': 2, 'high': 1}}\n"
    (tmp_path / "gen.py").write_text(SENSOR + more)
    with pytest.raises(SpecError) as caught:
        generator_of(name, options, str(tmp_path), "data.generators[0]")
    assert caught.value.code == code
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("raise RuntimeError('no rain today')", "ADC-PROP-015"),
        ("return x", "ADC-PROP-016"),
        ("return x, y, 'told'", "ADC-PROP-016"),
        ("return x, y, {'': list(range(rows))}", "ADC-PROP-016"),
        ("return x[1:], y[1:], {}", "ADC-PROP-017"),
        ("return x, y, {'heat': [1.0]}", "ADC-PROP-017"),
        ("return x[:, :3], y, {}", "ADC-PROP-018"),
        ("return x.astype(str), y, {}", "ADC-PROP-018"),
        ("return x + np.nan, y, {}", "ADC-PROP-019"),
        ("return x, y + 7, {}", "ADC-PROP-020"),
    ],
)
def test_what_a_generator_gives_wrongly_is_told(tmp_path: Path, answer: str, code: str) -> None:
    changed = f"""
class Broken(Sensor):
    def generate(self, parameters, rows, seed):
        x, y, _ = super().generate(parameters, rows, seed)
        {answer}
"""
    (tmp_path / "gen.py").write_text(SENSOR + changed)
    x, y, metadata = sensors(20, 1, 0.0, 0.0)
    found = generator_of("gen.py:Broken", {}, str(tmp_path), "data.generators[0]")
    asked = Asked(name="rain", generator=found, base=Base(x=x, y=y, metadata=metadata, classes=(0, 1)))
    with pytest.raises(CallError) as caught:
        asked.rows({"night": 0.0, "cold": 0.0}, np.zeros(9, dtype=int), 0)
    assert caught.value.code == code
    assert "data.generators.rain" in caught.value.place
    assert code != "ADC-PROP-015" or "no rain today" in caught.value.got


def test_a_synthetic_test_set_tells_the_parameters_of_each_row(tmp_path: Path) -> None:
    (tmp_path / "gen.py").write_text(SENSOR)
    sensor = generator_of("gen.py:Sensor", {}, str(tmp_path), "data.generators[0]")
    told = write_test_set(sensor, tmp_path / "night.npz", rows=60, parameters={"night": 1.0, "cold": [0, 0.2]}, seed=2)
    with np.load(tmp_path / "night.npz") as found:
        assert {"x", "y", "hour", "heat", "night", "cold"} <= set(found.files)
        assert found["x"].shape == (60, 4)
        assert (found["hour"] < 6).all()
    assert told["night"].eq(1.0).all()
    assert told["cold"].between(0, 0.2).all()
    write_test_set(TextGenerator(), tmp_path / "typos.parquet", rows=8, parameters={}, base=(TEXTS, [1, 0, 1, 0]))
    assert {"text", "y", "typos"} <= set(pd.read_parquet(tmp_path / "typos.parquet").columns)
