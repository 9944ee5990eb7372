"""Other ways to find where a model fails, run for real: each gives at most ten masks over rows it has not seen."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pysubgroup as ps
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.tree import DecisionTreeRegressor

from autodc.adapters.finders.sliceline import SliceLine
from autodc.diagnose.beam import Beam
from autodc.diagnose.clusters import Clusters
from autodc.diagnose.finder import Finder
from autodc.diagnose.tree import Tree
from autodc.diagnose.view import View

Array = np.ndarray[Any, Any]
Method = Callable[[View, View, int, int], Sequence[Array]]
"""(found on, tried on, k, seed) → masks over the second, in the method's own order."""

LEAST = 0.01
"""Share of the rows in a slice, for every method that asks."""


def of_port(finder: Finder) -> Method:
    """A finder of autodc, in its own order."""
    return lambda found_on, tried_on, k, seed: [s.mask(tried_on) for s in finder.find(found_on, k, seed)]


def pysubgroup(found_on: View, tried_on: View, k: int, seed: int) -> Sequence[Array]:
    """Its beam of depth 2 with eight bins a column; mean excess error weighed by the root of the size."""
    frame = found_on.attributes.copy()
    frame["__excess"] = found_on.excess
    selectors = ps.create_selectors(frame, nbins=8, ignore=["__excess"])
    task = ps.SubgroupDiscoveryTask(
        frame,
        ps.NumericTarget("__excess"),
        selectors,
        result_set_size=k,
        depth=2,
        qf=ps.StandardQFNumeric(0.5),
        constraints=[ps.MinSupportConstraint(int(LEAST * len(frame)))],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = ps.BeamSearch(beam_width=60).execute(task)
    return [np.asarray(rule.covers(tried_on.attributes), dtype=bool) for _, rule, _ in found.results]


def tree(found_on: View, tried_on: View, k: int, seed: int) -> Sequence[Array]:
    """Leaves of a regression tree on excess error, by mean; text as one column a value."""
    one, two = (pd.get_dummies(v.attributes, dtype=float) for v in (found_on, tried_on))
    model = DecisionTreeRegressor(max_leaf_nodes=30, min_samples_leaf=max(1, int(LEAST * len(one))), random_state=seed)
    model.fit(one, found_on.excess)
    leaves, of_new = model.apply(one), model.apply(two.reindex(columns=one.columns, fill_value=0.0))
    numbers = np.unique(leaves)
    means = np.array([found_on.excess[leaves == leaf].mean() for leaf in numbers])
    return [of_new == leaf for leaf in numbers[np.argsort(-means)][:k]]


def confidence(found_on: View, tried_on: View, k: int, seed: int) -> Sequence[Array]:
    """The least sure tenth of the rows of each predicted class, the class with most errors there first."""
    sure_one, sure_two = (v.probabilities.max(1) for v in (found_on, tried_on))
    ranked = []
    for label in np.unique(found_on.prediction.astype(str)):
        rows = found_on.prediction.astype(str) == label
        edge = np.quantile(sure_one[rows], 0.1)
        inside = rows & (sure_one <= edge)
        ranked.append((-found_on.error[inside].sum(), (tried_on.prediction.astype(str) == label) & (sure_two <= edge)))
    return [mask for _, mask in sorted(ranked, key=lambda one: one[0])][:k]


def planespot(found_on: View, tried_on: View, k: int, seed: int) -> Sequence[Array]:
    """PlaneSpot as its code reads (Plumb and others 2023), with PCA where it has scvis.

    The embedding in two dimensions, scaled to 0 … 1, with .025 × confidence beside; a Gaussian mixture of which BIC
    says the size; its parts by error rate × errors.
    """
    reduce = PCA(2, random_state=seed).fit(found_on.embeddings["model"])
    one, two = (reduce.transform(v.embeddings["model"]) for v in (found_on, tried_on))
    low, high = one.min(0), one.max(0)
    one, two = (
        np.column_stack([(x - low) / (high - low), 0.025 * v.probabilities.max(1)])
        for x, v in ((one, found_on), (two, tried_on))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tried = [GaussianMixture(size, random_state=seed).fit(one) for size in range(1, 33, 2)]
    best = min(tried, key=lambda model: model.bic(one))
    parts, of_new = best.predict(one), best.predict(two)
    worth = {part: found_on.error[parts == part].mean() * found_on.error[parts == part].sum() for part in set(parts)}
    return [of_new == part for part in sorted(worth, key=lambda part: -worth[part])[:k]]


METHODS: Mapping[str, Method] = {
    "beam": of_port(Beam()),
    "clusters": of_port(Clusters()),
    "clusters of HDBSCAN": of_port(Clusters(by="hdbscan")),
    "tree": of_port(Tree()),
    "SliceLine": of_port(SliceLine()),
    "pysubgroup": pysubgroup,
    "decision tree": tree,
    "confidence only": confidence,
    "PlaneSpot": planespot,
}
