"""The makers of mended and added rows as a worker calls them: with the spaces and measures of the adapters."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from autodc.adapters.enrichers import built_in, embeddings_of, fitting
from autodc.data.attributes import Rows
from autodc.propose import augment as augmenting
from autodc.propose import deduplicate as deduplicating
from autodc.propose import edge_cases as edges
from autodc.propose import label_map as mapping
from autodc.propose import outliers as outlying
from autodc.propose import prune as pruning
from autodc.propose import rebalance as rebalancing
from autodc.propose import relabel as relabelling
from autodc.propose.base_edits import Space
from autodc.table import Inputs
from autodc.trial.call import Call, CallPart

Array = np.ndarray[Any, Any]


def relabel(call: Call) -> dict[str, Any]:
    """propose/relabel.py."""
    return relabelling.make(call, _space(call))


def prune(call: Call) -> dict[str, Any]:
    """propose/prune.py."""
    return pruning.make(call, _space(call))


def outliers(call: Call) -> dict[str, Any]:
    """propose/outliers.py."""
    return outlying.make(call, _space(call))


def edge_cases(call: Call) -> dict[str, Any]:
    """propose/edge_cases.py."""
    return edges.make(call, _space(call))


def deduplicate(call: Call) -> dict[str, Any]:
    """propose/deduplicate.py."""
    return deduplicating.make(call)


def rebalance(call: Call) -> dict[str, Any]:
    """propose/rebalance.py."""
    return rebalancing.make(call)


def label_map(call: Call) -> dict[str, Any]:
    """propose/label_map.py."""
    return mapping.make(call)


def augment(call: Call) -> dict[str, Any]:
    """propose/augment.py."""
    return augmenting.make(call, _columns)


def _space(call: Call) -> Space:
    return partial(_coordinates, networks=bool(call.arguments.get("networks")))


def _coordinates(x: Inputs, networks: bool) -> Array:
    return np.asarray(list(embeddings_of(x, x, networks=networks).values())[-1], dtype=np.float64)


def _columns(part: CallPart) -> pd.DataFrame:
    """Metadata and what enrichers of ours measure of rows without a network; what data bring along goes first."""
    rows = Rows(x=part.x, metadata=part.metadata)
    found = part.metadata
    given = {str(name).casefold() for name in found.columns}
    for name in fitting(part.x):
        if name == "embedding":
            continue
        enricher: Any = built_in(name, networks=False)
        ready = enricher.fitted(rows, None) if callable(getattr(enricher, "fitted", None)) else enricher
        frame = ready.attributes(rows)
        frame = frame.rename(columns={c: f"{name}_{c}" for c in frame.columns if str(c).casefold() in given})
        found = pd.concat([found.reset_index(drop=True), frame.reset_index(drop=True)], axis=1)
    return found
