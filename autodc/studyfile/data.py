"""The datasets of a study file as types: where rows come from, what may join them, and who makes more."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from autodc.studyfile.values import Name, Seconds, Spec


class SourceSpec(Spec):
    """Where a dataset comes from."""

    source: str = Field(min_length=1, description="a file, folder, URL or file.py:function; relative to the study file")
    options: dict[str, JsonValue] = Field(default={}, description="the source's own options: target, group, map, ...")

    @property
    def group(self) -> str | None:
        """The column of groups, where the options name one."""
        found = self.options.get("group")
        return None if found is None else str(found)


class CandidateSpec(SourceSpec):
    """A dataset proposed for training."""

    name: Name = Field(description="how decisions and reports call it")
    cost: float = Field(default=0.0, ge=0, description="what it costs to have, in the unit of budget.cost")
    tags: tuple[str, ...] = Field(default=(), description="free words for the report")
    labels: dict[str, str | int | bool] = Field(
        default={}, description="class label as it is written there: label of the base; as options: {map: ...}"
    )
    targets: tuple[str, ...] | None = Field(
        default=None, description="the target slices it is meant to help; left out: all of them"
    )
    probe: float | None = Field(
        default=None,
        description="a number known before, larger for what is believed to help: the score of a model of it alone, say",
    )


class PoolSpec(SourceSpec):
    """Rows that proposers may draw from."""

    labelled: bool | None = Field(
        default=None,
        description="whether its rows have labels; false: none are read, an oracle or people say. Left out: as it lies",
    )
    oracle: str | None = Field(
        default=None,
        min_length=1,
        description="who labels its rows where they have none: path/to/file.py:function, called on a worker, or a file "
        "of labels by id (.csv, .tsv, .jsonl, .json) that may arrive while the study runs; left out, people are asked",
    )
    cost_per_row: float = Field(
        default=0.0, ge=0, description="what a row, or its label, costs, in the unit of budget.cost"
    )


class GeneratorSpec(Spec):
    """A maker of data with exact characteristics."""

    name: Name = Field(description="how proposals and reports call it")
    generator: str = Field(
        min_length=1,
        description="image, table, text, path/to/file.py:Object or package.module:Object, or a program as `command`",
    )
    options: dict[str, JsonValue] = Field(default={}, description="the generator's own options, validated by it")
    cost_per_row: float = Field(default=0.0, ge=0, description="what a row costs, in the unit of budget.cost")
    rows: int = Field(default=200, ge=1, description="rows of one dataset that it makes")


class DataSpec(Spec):
    """The datasets of the study."""

    base: SourceSpec = Field(description="the training set that the study begins with")
    candidates: tuple[CandidateSpec, ...] = Field(default=(), description="datasets that may join the base")
    pool: PoolSpec | None = Field(default=None, description="rows that proposers may draw from")
    generators: tuple[GeneratorSpec, ...] = Field(default=(), description="makers of data with exact characteristics")
    inbox: str | None = Field(
        default=None,
        min_length=1,
        description="a folder: datasets that are put there, also while the study runs, and sheets of `autodc shadow` "
        "once they are labelled, join as candidates where a round ends",
    )
    lead_time: Seconds | None = Field(
        default=None, description="how long people take to bring what is asked for: seconds, or text like 21d"
    )
    validation: SourceSpec = Field(description="rows on which every decision is made")
    test: SourceSpec | None = Field(default=None, description="sealed until the end")
    explore_share: float = Field(
        default=0.4,
        ge=0,
        lt=1,
        description="share of the held-out rows that search, diagnosis and proposers see; comparisons and all that is "
        "reported rest on the other rows. 0: the rows are not cut",
    )
    overlap: Literal["refuse", "drop", "allow"] = Field(
        default="refuse",
        description="training rows that validation or test also hold: refuse above max_overlap, drop them whatever "
        "their share, or allow them; equal rows that chance explains are no copies",
    )
    max_overlap: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="with overlap: refuse, copies of validation or test rows up to this share of a training dataset "
        "are left out with a warning; more is refused",
    )
