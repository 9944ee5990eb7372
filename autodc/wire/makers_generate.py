"""Makes the rows of a generator, on a worker: its parameters are searched, then rows are made where it pays.

Rows that were looked at only say which settings are worth it; what is made comes of the base or of nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.adapters.generators import generator_of
from autodc.adapters.generators.command import CommandGenerator
from autodc.data.dataset import Dataset
from autodc.data.where import select
from autodc.errors import InputError
from autodc.large import evenly
from autodc.propose import made
from autodc.propose.generator import Asked, Base, Batch
from autodc.propose.made import Made, Origin
from autodc.propose.parameter_effects import columns_of, differ
from autodc.propose.parameter_search import Chosen, Failures, chosen
from autodc.propose.parameters import Parameter, Setting, extremes, narrowed, spread
from autodc.table import Inputs, Table, join
from autodc.trial.call import Call, CallError, CallPart
from autodc.wire.attributes import Enrichment
from autodc.wire.measuring import named

Array = np.ndarray[Any, Any]

BATCH = 48
"""Rows of a setting that is tried."""
SETTINGS = 25
"""Settings that the rows of a dataset have, drawn from the region."""
PARENTS = 4000
"""Rows of the base that are looked at as parents, evenly."""
MUCH_MORE = 1.5
"""Parents that are like failures are taken where that alone makes rows so many times as sure as settings do."""
ANY_PARENT = 0.2
"""Every row of the base is a parent at least so often, of how often it is on average."""
FAILED, INSIDE, CLASS = "_failed", "_inside", "_class"
LOOKED, BASE = "looked", "base"
CHECKED, BETWEEN = 48, 4
"""Rows of a setting on which it is seen whether a generator minds its parameters; so many settings beside both ends."""


def generate(call: Call) -> Any:
    """Make the rows of a generator.

    arguments: `name`, `generator`, `options`, `folder` of the study file, `parameters` (name → value, [low, high] or
    choices), `rows`, `seed`, `attributes` (enrichers), `classes` (labels in the order of their codes), `rule` of the
    finding and `avoid`, regions that did not help. parts: `base`, and `looked`: explore rows whose metadata are their
    attributes, `_failed` and `_inside`. Raises CallError ADC-PROP-010 to 024.
    """
    try:
        return _generate(call)
    except InputError as error:
        raise CallError(error.code, error.problem, error.place, error.got, error.hint) from error


def _generate(call: Call) -> Any:
    told, place = call.arguments, f"data.generators.{call.arguments['name']}"
    found = generator_of(told["generator"], told.get("options", {}), str(told.get("folder", "")), place)
    if isinstance(found, CommandGenerator):
        found = replace(found, scratch=str(call.out))
    base = call.parts[BASE]
    classes = tuple(told.get("classes", ()))
    y, mixed = np.asarray(base.y), len({type(one) for one in classes}) > 1
    labels = np.array(classes, dtype=object if mixed else None)[y] if classes else y
    asked = Asked(
        name=str(told["name"]),
        generator=found,
        base=Base(x=base.x, y=labels, metadata=base.metadata, classes=classes),
        folder=str(told.get("folder", "")),
        out=call.out / "pictures",
    )
    ranges = narrowed(asked.parameters, told.get("parameters", {}), place)
    asked.fit()
    work = _Work(asked=asked, base=base, told=told, seed=int(told["seed"]))
    minds = work.minds_parameters()
    failures = work.failures(call.parts.get(LOOKED))
    parents, best = work.parents(call.parts.get(LOOKED)), None
    if failures is not None:
        parents, best = work.searched(failures, ranges, parents)
    region = ranges if best is None else best.region
    return made.write(call.out, work.made(region, parents, failures, best, minds))


@final
@dataclass(kw_only=True)
class _Work:
    """One generator, the base, and what is measured."""

    asked: Asked
    base: CallPart
    told: Mapping[str, Any]
    seed: int
    enrichment: Enrichment | None = None

    @property
    def classes(self) -> tuple[Any, ...]:
        """Labels in the order of their codes; empty where targets are values."""
        return self.asked.base.classes

    def minds_parameters(self) -> bool:
        """Whether what is measured of its rows tells settings apart.

        Raises CallError ADC-PROP-021 for the same rows, or rows of the same kind, whatever the parameters.
        """
        declared = self.asked.parameters
        if all(one.is_fixed for one in declared.values()):
            return True
        parents = seeds.generator(self.seed, "checked").integers(0, len(self.base.x), CHECKED)
        low, high = extremes(declared)
        first, second = (self.asked.rows(one, parents, self.seed) for one in (low, high))
        if _same(first, second):
            raise self._ignores(f"the same {CHECKED} rows for {_shown(low)} and for {_shown(high)}")
        if self.asked.transforms:  # what it does to a row may leave all together as they were
            one, other = self.frame(first), self.frame(second)
            return not all(one[n].equals(other[n]) for n in one.columns if n in other.columns and n != CLASS)
        between = spread(declared, BETWEEN, seeds.integer(self.seed, "checked"))
        batches = [first, second, *(self.asked.rows(one, parents, self.seed) for one in between)]
        frames, targets = [self.frame(one) for one in batches], [one.y for one in batches]
        columns = [columns_of(frame, one.x) for frame, one in zip(frames, batches, strict=True)]
        if differ(columns, targets) is False:
            got = f"rows of {len(batches)} settings, as of {_shown(low)} and {_shown(high)}, differ by chance alone"
            raise self._ignores(got)
        return bool(differ([frame.drop(columns=[CLASS], errors="ignore") for frame in frames], targets))

    def _ignores(self, got: str) -> CallError:
        problem = f"generator {self.asked.name} ignores its parameters"
        hint = "make rows by the values in `parameters`, or do not declare what has no effect"
        return CallError("ADC-PROP-021", problem, self.asked.place, got, hint)

    def frame(self, batch: Batch) -> pd.DataFrame:
        """Metadata, inputs of a table, attributes and class of rows, one column each."""
        data = self._dataset(batch.x, batch.metadata)
        frame = pd.concat([data.metadata, self._enrichment().frame(data)], axis=1)
        if self.classes:
            frame[CLASS] = [f"class {code}" for code in batch.y]
        return frame

    def failures(self, looked: CallPart | None) -> Failures | None:
        """What explore rows tell of failures; None where there are none, or nothing in common that is measured."""
        if looked is None:
            return None
        wanted = looked.metadata[FAILED].to_numpy(bool) & looked.metadata[INSIDE].to_numpy(bool)
        if not wanted.any() or wanted.all():
            return None
        frame = _beside_inputs(looked.metadata.drop(columns=[FAILED, INSIDE]).reset_index(drop=True), looked.x)
        if self.classes and looked.y is not None:
            frame[CLASS] = [f"class {code}" for code in looked.y]
        probe = self.frame(self.asked.rows(self.middle(self.asked.parameters), np.zeros(2, dtype=int), self.seed))
        common = [n for n in frame.columns if n in probe.columns]
        if not [n for n in common if n != CLASS]:
            return None
        return Failures(frame[common], wanted, self.seed)

    def searched(
        self, failures: Failures, ranges: Mapping[str, Parameter], parents: tuple[Array, Array]
    ) -> tuple[tuple[Array, Array], Chosen]:
        """The parents to take and the region to make rows in. Raises CallError ADC-PROP-024 where none is worth it."""
        avoid = self.told.get("avoid", ())
        best = chosen(ranges, lambda some: self.score(failures, some, parents), self.seed, avoid)
        if self.asked.transforms:
            alike = self.parents_like(failures, parents)
            still = float(self.score(failures, [self.middle(ranges)], alike)[0].mean())
            if still > MUCH_MORE * best.sure:
                parents = alike
                best = chosen(ranges, lambda some: self.score(failures, some, alike), self.seed, avoid)
            elif _rests(best.region):  # of any rows of the base, copies
                raise self._unmet(f"rows as they are are surely {best.usual:.3f}, and no setting makes them more so")
        self._refuse_unlike(best.sure, failures)
        return parents, best

    def _refuse_unlike(self, sure: float, failures: Failures) -> None:
        """Raise CallError ADC-PROP-024 where rows are hardly more surely failed on than any explore row."""
        if sure < failures.least:
            far = f"of all explore rows {failures.rate:.3f}, of those failed on {failures.level:.3f}"
            raise self._unmet(f"surely {sure:.3f} of its rows at best, {far}")

    def _unmet(self, got: str) -> CallError:
        hint = "widen its parameters, or give a generator that can make such rows"
        problem = f"no setting of generator {self.asked.name} meets the finding"
        return CallError("ADC-PROP-024", problem, self.asked.place, got, hint)

    def parents(self, looked: CallPart | None) -> tuple[Array, Array]:
        """Rows of the base that may be parents, and how often each: classes as often as among those of the finding.

        All of what is failed on would be few classes, and a model would learn the condition for their sign.
        """
        places = evenly(len(self.base.x), PARENTS)
        weights = np.ones(len(places))
        if looked is not None and looked.y is not None and self.classes:
            y, count = np.asarray(self.base.y)[places], len(self.classes)
            inside = np.bincount(np.asarray(looked.y)[looked.metadata[INSIDE].to_numpy(bool)], minlength=count)
            found = (inside / max(1, inside.sum()))[y] / np.bincount(y, minlength=count)[y]
            weights = found if found.sum() else weights
        return places, weights / weights.sum()

    def parents_like(self, failures: Failures, parents: tuple[Array, Array]) -> tuple[Array, Array]:
        """The same, drawn the more often, the more they are like failures as they are."""
        places, _ = parents
        sure = failures.sure(self._filled(self.frame(self._rows_of_base(places)), failures))
        weights = sure + ANY_PARENT * max(float(sure.mean()), 1e-6)
        return places, weights / weights.sum()

    def score(self, failures: Failures, settings: Sequence[Setting], parents: tuple[Array, Array]) -> list[Array]:
        """How surely rows of each setting are failed on; the same parents and the same chance for every setting."""
        at = seeds.generator(self.seed, "tried").choice(parents[0], BATCH, p=parents[1])
        number = seeds.integer(self.seed, "tried")
        whole = _joined([self.asked.rows(setting, at, number) for setting in settings])
        return np.split(failures.sure(self._filled(self.frame(whole), failures)), len(settings))

    def made(
        self,
        region: Mapping[str, Any],
        parents: tuple[Array, Array],
        failures: Failures | None,
        best: Chosen | None,
        minds: bool,
    ) -> Made:
        """Rows of settings from the region."""
        rows, rng = int(self.told["rows"]), seeds.generator(self.seed, "made")
        settings = spread(region, max(1, min(SETTINGS, rows)), seeds.integer(self.seed, "settings"))
        at = rng.choice(parents[0], rows, p=parents[1], replace=rows > len(parents[0]))
        batches, used = [], list[Setting]()
        for number, (setting, some) in enumerate(zip(settings, np.array_split(at, len(settings)), strict=True)):
            batches.append(self.asked.rows(setting, some, seeds.integer(self.seed, "made", number)))
            used += [setting] * len(some)
        whole = _joined(batches)
        facts = self._facts(region, whole, failures, best, minds)
        origin = Origin(
            parents=(self.base.name,),
            parent=np.where(whole.position >= 0, 0, -1),
            position=whole.position,
            changed={name: [one[name] for one in used] for name in region},
        )
        return Made(x=whole.x, y=whole.y, metadata=whole.metadata, origin=origin, facts=facts)

    def _facts(
        self, region: Mapping[str, Any], whole: Batch, failures: Failures | None, best: Chosen | None, minds: bool
    ) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "parameters": {n: one.told() for n, one in region.items()},
            "generator": self.asked.name,
            "declared": {name: one.as_declared() for name, one in self.asked.parameters.items()},
        }
        if failures is not None and best is not None:
            frame = self.frame(whole)
            sure = float(failures.sure(self._filled(frame, failures)).mean())
            self._refuse_unlike(sure, failures)  # the best of many small batches is less sure than it seemed
            facts |= {"sure": round(sure, 4), "tried": best.tried}
            facts |= {"usual": round(best.usual, 4), "rate": round(failures.rate, 4), "level": round(failures.level, 4)}
            if (inside := self._inside(frame, whole)) is not None:
                facts["inside"] = round(inside, 4)
        if not minds:
            facts["warnings"] = ["settings far apart have the same attributes: its parameters cannot be told apart"]
        return facts

    def _inside(self, frame: pd.DataFrame, whole: Batch) -> float | None:
        """The share of the rows that the rule of the finding holds for; None where it cannot be read on them."""
        if not self.told.get("rule"):
            return None
        target = np.array(self.classes)[whole.y] if self.classes else whole.y
        try:
            return float(select(str(self.told["rule"]), frame, target, place=self.asked.place).mean())
        except InputError:
            return None

    def middle(self, ranges: Mapping[str, Parameter]) -> dict[str, Any]:
        """The setting of no effect, as far as it is within the ranges; else their middles."""
        found = {}
        for name, one in ranges.items():
            is_still = one.identity is not None and one.has(one.identity)
            found[name] = one.identity if is_still else one.value(0.5)
        return found

    def _filled(self, frame: pd.DataFrame, failures: Failures) -> pd.DataFrame:
        """The columns that failures are told by; what a generator left out this time is missing."""
        return frame.reindex(columns=list(failures.columns))

    def _rows_of_base(self, places: Array) -> Batch:
        metadata = self.base.metadata.iloc[places].reset_index(drop=True)
        y = np.asarray(self.base.y)[places]
        return Batch(x=self.base.x[places], y=y, metadata=metadata, position=places)

    def _dataset(self, x: Inputs, metadata: pd.DataFrame) -> Dataset:
        return Dataset(name=self.asked.name, x=x, y=None, metadata=_beside_inputs(metadata, x), fingerprint="made")

    def _enrichment(self) -> Enrichment:
        if self.enrichment is None:
            folder = str(self.told.get("folder", ""))
            names = tuple(self.told.get("attributes", ()))
            found = [
                named(name, folder, f"attributes[{i}]", self.base.x, networks=True) for i, name in enumerate(names)
            ]
            base = self._dataset(self.base.x, self.base.metadata.reset_index(drop=True))
            given = {str(n).casefold() for n in base.metadata.columns}
            self.enrichment = Enrichment(
                named=tuple(found), base=base, targets=self.asked.base.y, given=frozenset(given), folder=folder
            )
        return self.enrichment


def _beside_inputs(metadata: pd.DataFrame, x: Inputs) -> pd.DataFrame:
    """Metadata and, of a table, its inputs, which stand in for metadata of the same name."""
    if not isinstance(x, Table) or x.kind != "table":
        return metadata
    return pd.concat([metadata.drop(columns=list(x.names), errors="ignore"), x.frame()], axis=1)


def _joined(batches: Sequence[Batch]) -> Batch:
    """The rows of several batches, one after the other."""
    return Batch(
        x=join([one.x for one in batches]),
        y=np.concatenate([one.y for one in batches]),
        metadata=pd.concat([one.metadata for one in batches], ignore_index=True),
        position=np.concatenate([one.position for one in batches]),
    )


def _rests(region: Mapping[str, Parameter]) -> bool:
    """Whether nothing is changed: rows of the base would be made once more."""
    return all(one.is_fixed and one.identity is not None and one.has(one.identity) for one in region.values())


def _same(one: Batch, other: Batch) -> bool:
    """Whether two batches are the same rows."""
    if isinstance(one.x, Table):
        same = one.x.arrow.equals(other.x.arrow) if isinstance(other.x, Table) else False
    else:
        same = np.array_equal(one.x, np.asarray(other.x))
    return bool(same and np.array_equal(one.y, other.y) and one.metadata.equals(other.metadata))


def _shown(setting: Setting) -> str:
    return ", ".join(f"{name} {value}" for name, value in list(setting.items())[:4])
