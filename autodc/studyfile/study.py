"""The study file as types: what a person writes, frozen and fingerprinted. Reading it is `load`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from autodc.masking import masked_study
from autodc.studyfile.data import CandidateSpec as CandidateSpec
from autodc.studyfile.data import DataSpec as DataSpec
from autodc.studyfile.data import GeneratorSpec as GeneratorSpec
from autodc.studyfile.data import PoolSpec as PoolSpec
from autodc.studyfile.data import SourceSpec as SourceSpec
from autodc.studyfile.names import ENRICHERS, METRICS, SAMPLERS, TRAINERS
from autodc.studyfile.names import TaskKind as TaskKind
from autodc.studyfile.values import Name, Seconds, Spec
from autodc.studyfile.values import ParameterSpec as ParameterSpec

SCHEMA_VERSION = 1

Recipe = Literal["concat", "pretrain_finetune", "continue", "adapt", "label_adapt", "curriculum"]
Role = Literal["target", "guard"]
Tradeoff = Literal["predict_ms", "train_seconds", "model_mb"]


class TaskSpec(Spec):
    """What is learned, and by which program."""

    kind: TaskKind = Field(
        description="classification, regression, image_to_image, or custom: anything that a metric of your own scores"
    )
    trainer: str = Field(description=f"{', '.join(TRAINERS)}, path/to/file.py:Object or package.module:Object")
    options: dict[str, JsonValue] = Field(default={}, description="the trainer's own options, validated by it")


class MetricsSpec(Spec):
    """What is measured on every slice."""

    primary: str = Field(description=f"{', '.join(METRICS)}, path/to/file.py:Object or package.module:Object")
    limits: dict[Tradeoff, Annotated[float, Field(gt=0)]] = Field(
        default={},
        description="predict_ms, train_seconds, model_mb: to how many times the start's it may grow; what costs more "
        "is not kept",
    )

    @property
    def most(self) -> Mapping[str, float]:
        """Trade-off → to how many times that of the start it may grow."""
        return {str(name): times for name, times in self.limits.items()}


class SliceSpec(Spec):
    """A named set of validation rows and what is demanded of it."""

    name: Name = Field(description="how decisions and reports call it")
    role: Role = Field(description="target: should improve; guard: must not get worse than its margin")
    where: str | None = Field(
        default=None, description="one SQL boolean expression over metadata columns, attributes and target"
    )
    source: str | None = Field(default=None, min_length=1, description="a unit test set in a file of its own")
    options: dict[str, JsonValue] = Field(default={}, description="options of `source`")
    margin: float | None = Field(default=None, ge=0, description="the worst loss that is tolerated, in metric units")
    weight: float | None = Field(default=None, gt=0, description="weight in the objective, 1 by default")

    @model_validator(mode="after")
    def _demands_agree(self) -> SliceSpec:
        if self.where is not None and self.source is not None:
            raise ValueError("a slice has `where` or `source`, not both")
        if self.role == "guard" and self.margin is None:
            raise ValueError("a guard needs a margin: the worst loss that is tolerated, in metric units")
        if self.role == "guard" and self.weight is not None:
            raise ValueError("weight belongs to target slices; a guard is not part of the objective")
        return self


Proposers = Literal[
    "given",
    "pool",
    "generate",
    "relabel",
    "prune",
    "rebalance",
    "augment",
    "deduplicate",
    "outliers",
    "edge_cases",
    "label_map",
]


class LoopSpec(Spec):
    """How often round, and where candidates come from."""

    rounds: int = Field(default=3, ge=1, le=1000, description="the most rounds of propose, search, gate and advance")
    propose: tuple[Proposers, ...] = Field(
        default=("given",), min_length=1, description="where candidates come from; given: from data.candidates"
    )
    findings: int = Field(
        default=5,
        ge=0,
        le=100,
        description="at most so many findings of where the incumbent fails, each round; 0: none",
    )
    proposals: int = Field(
        default=6, ge=1, le=100, description="at most so many datasets that are made in a round, controls not counted"
    )

    @property
    def makes_data(self) -> bool:
        """Whether anybody proposes but the study file itself."""
        return set(self.propose) != {"given"}


class FidelitySpec(Spec):
    """Cheap trainings first, where they are found to rank plans as full ones do."""

    low: float = Field(default=0.33, gt=0, lt=1, description="share of a full training that a cheap one gets")
    pairs: int = Field(default=12, ge=6, le=1000, description="plans trained both ways to measure the rank correlation")
    least_correlation: float = Field(
        default=0.8, ge=0, le=1, description="below this rank correlation every later training is a full one"
    )


def cheap(value: object) -> object:
    """Read `off` as nothing, a number as the share of a cheap training; leave anything else for validation."""
    if value == "off":
        return None
    return {"low": value} if isinstance(value, (int, float)) and not isinstance(value, bool) else value


_CHEAP = BeforeValidator(cheap, json_schema_input_type=FidelitySpec | float | Literal["off"] | None)


class SearchSpec(Spec):
    """How mixtures and hyperparameters are searched."""

    sampler: str = Field(
        default="mixture",
        description=f"{', '.join(SAMPLERS)}, any Optuna sampler by its class name, path/to/file.py:Object or "
        "package.module:Object",
    )
    trials_per_round: int = Field(default=48, ge=1, description="search trainings of one round")
    lag: int = Field(
        default=4,
        ge=1,
        le=4096,
        description="trial k depends only on outcomes up to k - lag; at least slots + 1",
    )
    max_weight: float = Field(default=2.0, gt=0, le=100, description="the largest weight of a candidate")
    enqueue: tuple[dict[str, float], ...] = Field(default=(), description="mixtures to try first, dataset to weight")
    warm_start: str | None = Field(
        default=None, min_length=1, description="the folder of another study whose trainings the search learns from"
    )
    fidelity: Annotated[FidelitySpec | None, _CHEAP] = Field(
        default=None, description="cheap trainings first: off, their share of a full one, or low, pairs, ..."
    )
    probes: Literal["none", "fork"] = Field(
        default="none",
        description="fork: ask of every candidate what a few steps with it change, before whole trainings are spent; "
        "for trainers that can fork",
    )
    objectives: tuple[Tradeoff, ...] = Field(
        default=(),
        description="what to search for beside the objective: predict_ms, train_seconds, model_mb; lower is better",
    )


class GateSpec(Spec):
    """What evidence a keep needs (docs/guide/gate.md)."""

    fdr: float = Field(default=0.1, gt=0, lt=1, description="error budget q of the whole study")
    planned_tests: int | None = Field(
        default=None,
        ge=1,
        description="N, the comparisons that share fdr, declared up front; left out: rounds x (candidates + 1)",
    )
    looks: tuple[int, ...] = Field(
        default=(1, 2, 3, 5, 8), min_length=1, description="pairs at which a comparison is looked at"
    )
    calibration: int = Field(default=6, ge=2, description="A/A trainings of the incumbent at the start")
    score: Literal["metric", "soft"] = Field(
        default="metric",
        description="soft: decide on the probability given to the truth; every target then needs a margin, which "
        "guards its metric",
    )
    min_rows: int = Field(
        default=20, ge=2, description="a slice with fewer rows that count is no evidence, for or against"
    )
    evidence: Literal["together", "each"] = Field(
        default="together",
        description="together: the whole first, and what cannot be told apart as blocks; each: every dataset proves "
        "itself alone",
    )
    in_doubt: Literal["start", "everything"] = Field(
        default="start",
        description="what to end with where nothing is shown and everything together is believed better: the tuned "
        "start, or everything",
    )
    trust: tuple[str, ...] = Field(
        default=(), description="candidates that are no leak though they gain without a loss and a leak was found"
    )

    @model_validator(mode="after")
    def _looks_rise(self) -> GateSpec:
        if any(b <= a for a, b in zip(self.looks, self.looks[1:], strict=False)) or self.looks[0] < 1:
            looks = ", ".join(map(str, self.looks))
            raise ValueError(f"looks are numbers of pairs that rise, the first 1 or more; found {looks}")
        return self


class BudgetSpec(Spec):
    """What the study may spend."""

    trainings: float | None = Field(default=None, ge=4, description="full trainings; a cheap trial counts its share")
    wall_clock: Seconds | None = Field(default=None, description="seconds, or text like 8h")
    cost: float | None = Field(default=None, ge=0, description="what the kept datasets may cost together")


class TrackingSpec(Spec):
    """Where MLflow keeps the study."""

    uri: str = Field(default="sqlite:///mlflow.db", description="an MLflow tracking URI; none switches it off")
    experiment: str | None = Field(default=None, description="left out: the study's name")
    registered_model: str | None = Field(
        default=None,
        min_length=1,
        description="the kept model is registered by this name, alias champion; null: it is not",
    )


class StudySpec(Spec):
    """One question: one model, one task, the data that may change, the slices that must improve."""

    schema_version: Literal[1] = Field(description="the version of this file format")
    name: Name = Field(description="the study's name, also that of its MLflow experiment")
    seed: int = Field(default=0, ge=0, lt=2**63, description="root of everything random")
    task: TaskSpec = Field(description="what is learned, and by which program")
    data: DataSpec = Field(description="the datasets: base, candidates, validation, test")
    attributes: tuple[str, ...] = Field(
        default=(),
        description=f"columns that are measured of all rows, so that `where` may name them: {', '.join(ENRICHERS)}, "
        "path/to/file.py:Object or package.module:Object",
    )
    metrics: MetricsSpec = Field(description="what is measured on every slice")
    slices: tuple[SliceSpec, ...] = Field(description="named sets of validation rows and what is demanded of them")
    search_space: dict[str, ParameterSpec] = Field(default={}, description="hyperparameters by name")
    baselines: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(),
        description="the quickest things that work, measured before the first training and told beside the end: "
        "constant, linear, median, or any METHOD of `autodc evaluate`",
    )
    recipes: tuple[Recipe, ...] = Field(default=("concat",), min_length=1, description="how a mixture is trained")
    loop: LoopSpec = Field(default=LoopSpec(), description="how often round, and where candidates come from")
    search: SearchSpec = Field(default=SearchSpec(), description="how mixtures and hyperparameters are searched")
    gate: GateSpec = Field(default=GateSpec(), description="what evidence a keep needs")
    budget: BudgetSpec = Field(default=BudgetSpec(), description="what the study may spend")
    tracking: TrackingSpec = Field(default=TrackingSpec(), description="where MLflow keeps the study")

    _folder: str = "."
    _places: Mapping[str, str] = {}

    @property
    def folder(self) -> str:
        """The absolute folder of the study file, against which its paths are read."""
        return self._folder

    def placed(self, folder: str, places: Mapping[str, str] | None = None) -> StudySpec:
        """Return the same spec with paths read against `folder`. places: key as written → `file:line:column: key`."""
        copy = self.model_copy()
        object.__setattr__(copy, "_folder", folder)
        if places is not None:
            object.__setattr__(copy, "_places", dict(places))
        return copy

    def place(self, key: str) -> str:
        """Where a key such as `slices[2].where` stands: `file:line:column: key`, for messages about its content.

        A key that is not written there has the place of the nearest one above it; without a file it is the key alone.
        """
        above = key
        while above and above not in self._places:
            above = above[: max(above.rfind("."), above.rfind("["), 0)]
        if not above:
            return key
        return self._places[above] + key[len(above) :]

    @property
    def targets(self) -> tuple[SliceSpec, ...]:
        """The slices that should improve, in the order of the file."""
        return tuple(s for s in self.slices if s.role == "target")

    @property
    def guards(self) -> tuple[SliceSpec, ...]:
        """The slices with a margin: they must not get worse than it."""
        return tuple(s for s in self.slices if s.margin is not None)

    def shown(self) -> dict[str, Any]:
        """The spec as JSON, defaults included, its secrets masked: what may be written and shown."""
        return masked_study(self.model_dump(mode="json"))

    def content(self) -> dict[str, Any]:
        """What is asked as JSON: without what decides nothing, where a warm start lies, and secrets."""
        aside: Any = {"tracking": True, "baselines": True, "search": {"warm_start"}}
        found = masked_study(self.model_dump(mode="json", exclude=aside))
        if not self.attributes:  # as of studies that began before there were attributes
            del found["attributes"]
        if self.data.inbox is None:  # as of studies that began before there was an inbox
            del found["data"]["inbox"]
        if self.data.lead_time is None:
            del found["data"]["lead_time"]
        if self.data.pool is not None:  # as of studies that began before proposers drew from it
            for key in PoolSpec.model_fields.keys() - SourceSpec.model_fields.keys():
                if found["data"]["pool"][key] == PoolSpec.model_fields[key].default:
                    del found["data"]["pool"][key]
        if not self.data.generators:
            del found["data"]["generators"]
        if self.loop.proposals == LoopSpec.model_fields["proposals"].default:
            del found["loop"]["proposals"]
        return found

    def fingerprint(self) -> str:
        """Identity of what is asked; `study.fingerprint` adds the content of the data."""
        from autodc import fingerprint  # numpy comes with it; reading a study file does without

        return fingerprint.of(self.content(), kind="study-spec", version=SCHEMA_VERSION)


class MachineSpec(Spec):
    """Where a study runs; not part of its identity."""

    runner: Literal["ray", "actors", "inline"] = Field(
        default="actors", description="actors: plain Ray actors; ray: Ray Tune; inline: no Ray, one trial at a time"
    )
    address: str | None = Field(default=None, description="a Ray cluster; left out: all local cores")
    cpus_per_trial: float = Field(default=1, gt=0)
    gpus_per_trial: float = Field(default=0, ge=0)
    memory_per_trial: float | None = Field(default=None, gt=0, description="bytes; a trial above it is ended")
    max_concurrent: int | None = Field(default=None, ge=1)
    trial_timeout: Seconds | None = Field(default=None, description="seconds, or text like 15m")
    retries: int = Field(default=1, ge=0, le=10, description="how often a crashed trial is run again")
    cache_dir: str | None = Field(default=None, description="where datasets lie as memory-mapped files")
    on_finish: tuple[str, ...] = Field(
        default=(), description="a program and its arguments, called without a shell when a study has ended by itself"
    )
    on_finish_after_failure: bool = Field(
        default=False, description="call it also where the surroundings ended the run (exit 3)"
    )
    on_finish_timeout: Seconds = Field(default=300.0, description="how long it may take: seconds, or text like 15m")
