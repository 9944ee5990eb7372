"""What a LightningModule is told of its rows, and how the columns of a table become numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch

from autodc.adapters.pictures.wish import wished
from autodc.adapters.trainers.image_axes import layout_of, shape_of
from autodc.adapters.trainers.image_rows import of_job
from autodc.adapters.trainers.options import LightningOptions
from autodc.data.views import numeric
from autodc.table import Inputs, Table
from autodc.trial.outputs import TrainerError
from autodc.trial.trainer import TrainingJob

Array = np.ndarray[Any, Any]
NUMERIC = ("integer", "number", "boolean", "date")


@final
@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of inputs and targets from the training rows, as JSON."""

    kind: str
    x: Mapping[str, Any]
    """`numbers`: whether rows are numbers; `layout` of arrays; `columns` of tables; `wish` of image files."""
    y: Mapping[str, Any]

    def offered(self) -> dict[str, Any]:
        """What a module may ask for by the name of a parameter."""
        columns = self.x.get("columns", {})
        numeric = [name for name, about in columns.items() if about["type"] in NUMERIC]
        shape = tuple(self.x["shape"])
        return {
            "n_classes": self.y["outputs"] if self.kind == "classification" else 0,
            "n_outputs": self.y["outputs"],
            "input_shape": shape,
            "n_columns": len(numeric) if columns else int(np.prod(shape)),
            "n_categories": [1 + len(a["categories"]) for a in columns.values() if a["type"] == "category"],
        }


def with_pictures(job: TrainingJob, options: LightningOptions) -> TrainingJob:
    """A job whose image files are decoded, where the options say how."""
    return job if options.size is None else of_job(job, wished(options.size, options.mode))


def facts_of(job: TrainingJob, options: LightningOptions) -> Facts:
    """Look at the training rows of a job. Raises TrainerError where they cannot be read as the options say."""
    parts = [part for part in job.train if part.weight > 0] or list(job.train)
    x, y = parts[0].x, np.asarray(parts[0].y[:1])
    about: dict[str, Any] = {"layout": _layout(x, options), "numbers": not isinstance(x, Table) or x.kind == "table"}
    about["wish"] = wished(options.size, options.mode).model_dump(mode="json") if options.size is not None else None
    if isinstance(x, Table) and x.kind == "table":
        about |= {"columns": _columns([part.x for part in parts]), "shape": [x.shape[1]]}
    elif isinstance(x, Table):
        about["shape"] = []
    else:
        about["shape"] = list(shape_of(list(x.shape[1:]), about["layout"])) if about["layout"] else list(x.shape[1:])
    image = job.kind == "image_to_image" and options.layout == "auto"
    target = {"layout": layout_of(y.shape[1:], "auto") if image else "", "bytes": image and y.dtype == np.uint8}
    outputs = job.n_classes if job.kind == "classification" else int(np.prod(y.shape[1:]))
    return Facts(job.kind, about, {**target, "shape": list(y.shape[1:]), "outputs": outputs})


def numbers(table: Table, about: Mapping[str, Any]) -> Any:
    """The columns of a table: one tensor where all are numbers, else a dict.

    `numeric` (n, k): numbers, truth values as 0 and 1, dates in days since 1970; NaN where a value is missing.
    `categorical` (n, m): from 1 in the order of the categories; 0 where it is missing or was not trained on.
    `text`: column → list of texts.
    """
    known: Mapping[str, Any] = about["columns"]
    if (wrong := list(table.names)) != list(known):
        hint = "inputs have the columns that the model was trained on"
        raise TrainerError("ADC-TRAIN-094", "inputs have other columns", "lightning", ", ".join(wrong), hint)
    of_type: dict[str, list[Any]] = {"numeric": [], "categorical": []}
    texts: dict[str, list[str]] = {}
    for name, one in known.items():
        if one["type"] in NUMERIC:
            of_type["numeric"].append(numeric(table, name).astype(np.float32))
        elif one["type"] == "category":
            of_type["categorical"].append(_codes(table, name, one["categories"]))
        else:
            texts[name] = table.texts(name)
    stacked = {name: torch.from_numpy(np.stack(columns, axis=1)) for name, columns in of_type.items() if columns}
    if list(stacked) == ["numeric"] and not texts:
        return stacked["numeric"]
    return {**stacked, **({"text": texts} if texts else {})}


def _layout(x: Inputs, options: LightningOptions) -> str:
    """How the axes of an image lie in a row, empty where rows are taken as they are."""
    pictures = not isinstance(x, Table) and x.dtype == np.uint8 and x.ndim in (3, 4)
    return layout_of(x.shape[1:], "auto") if options.layout == "auto" and pictures else ""


def _columns(tables: list[Any]) -> dict[str, Any]:
    """Column → type, and the categories that any part has."""
    found: dict[str, Any] = {}
    for name, kind in tables[0].schema.items():
        found[name] = {"type": kind}
        if kind == "category":
            values = {value for table in tables for value in table.column(name).unique().to_pylist()}
            found[name]["categories"] = sorted(values - {None})
    return found


def _codes(table: Table, name: str, categories: list[str]) -> Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    index = pc.index_in(table.column(name), value_set=pa.array(categories, pa.large_string()), skip_nulls=True)
    return np.asarray(pc.add(pc.fill_null(index, -1), 1).to_numpy(), dtype=np.int64)
