"""The primary metric: what a row is worth, and what a slice scores. Up is better inside, natural units at the edge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.special import softmax

from autodc import hints, plugins
from autodc.errors import SpecError
from autodc.evaluation.images import are_masks, iou_rows, psnr_rows, ssim_rows
from autodc.evaluation.own_metric import own_metric
from autodc.large import distinct_values
from autodc.plugins import is_path
from autodc.stats import jackknife
from autodc.studyfile import names
from autodc.studyfile.codes import OWN_METRIC
from autodc.studyfile.names import Better, TaskKind

Array = np.ndarray[Any, Any]

_EPSILON = 1e-12


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric over predictions."""

    name: str
    better: Better
    of: Callable[[Array, Array], float]
    """(outputs, targets) → the metric in its own units."""
    per_row: Callable[[Array, Array], Array] | None
    """(outputs, targets) → shape (n,), whose mean is the metric, or None where the metric is no mean over rows."""
    kinds: tuple[TaskKind, ...]
    """The task kinds it is defined for."""
    pseudo: Callable[[Array, Array], Array] | None = None
    """The same for those, by the infinitesimal jackknife, left out: by leaving out one row at a time."""
    own: bool = False
    """Whether it is a user's."""
    needs: names.Needs | None = None
    """What the targets of a slice must have for it."""

    def measures(self, targets: Array) -> bool:
        """Whether it is defined on rows of these targets."""
        if self.needs == "classes":
            return len(distinct_values(targets)) > 1
        if self.needs == "spread":
            return bool(len(targets) and np.ptp(targets, axis=0).all())
        return self.needs is None or are_masks(targets)

    @property
    def is_mean(self) -> bool:
        """Whether the metric of a slice is the mean over its rows."""
        return self.per_row is not None

    @property
    def sign(self) -> float:
        """1 where up is better, −1 where down is."""
        return 1.0 if self.better == "higher" else -1.0

    def natural(self, oriented: float) -> float:
        """Turn an oriented score back into the units a user knows."""
        return self.sign * oriented

    def value(self, outputs: Array, targets: Array) -> float:
        """The metric of these rows, oriented so that up is better."""
        return self.sign * float(self.of(outputs, targets))

    def rows(self, outputs: Array, targets: Array) -> Array:
        """One oriented number per row whose mean is the metric: the row's own score, or its jackknife pseudo-value."""
        if self.per_row is not None:
            return np.asarray(self.sign * np.asarray(self.per_row(outputs, targets), dtype=float))
        if self.pseudo is not None:
            return np.asarray(self.sign * self.pseudo(outputs, targets))
        return np.asarray(self.sign * jackknife.pseudo_values(self.of, (outputs, targets)))


def probabilities(outputs: Array) -> Array:
    """Class probabilities from outputs of shape (n, C): as they are where they are distributions, else by softmax."""
    values = np.asarray(outputs, dtype=float)
    if values.size and values.min() >= -1e-6 and np.allclose(values.sum(axis=1), 1.0, atol=1e-3):
        return np.asarray(np.clip(values, 0.0, 1.0))
    return np.asarray(softmax(values, axis=1))


def soft_rows(kind: TaskKind, outputs: Array, targets: Array) -> Array:
    """A smooth score per row, up is better: the probability given to the truth, or minus the absolute error.

    A custom task has none.
    """
    if kind == "classification":
        return _of_the_truth(outputs, targets)
    return -_absolute_error(outputs, targets)


def find_metric(name: str, kind: TaskKind, folder: str) -> Metric:
    """Return the metric called `name`, or load `path/to/file.py:Object` or `package.module:Object`.

    Raises SpecError ADC-METRIC-001 for an unknown name, 002 for a metric of another task kind, 070 for one of ours in a
    custom task, and what `own_metric` raises.
    """
    if is_path(name) or (name not in METRICS and name in plugins.installed(plugins.METRICS)):
        mine = own_metric(name, folder)
        called = name.rpartition(":")[2]
        return Metric(
            name=called,
            better=mine.better,
            of=mine.of,
            per_row=mine.per_row,
            kinds=(kind,),
            pseudo=mine.pseudo,
            own=True,
        )
    if kind == "custom":
        hint = "an object with `better` and value(outputs, targets)"
        problem = "a custom task is scored by a metric of your own: nothing is known of its outputs"
        raise SpecError(OWN_METRIC, problem, "metrics.primary", repr(name), f"{hint}: {plugins.FORMS}")
    if name not in METRICS:
        raise SpecError(
            "ADC-METRIC-001",
            "there is no such metric",
            "metrics.primary",
            repr(name),
            hints.suggest(name, list(METRICS), "metrics", names.SYNONYMS, plugins.FORMS),
        )
    metric = METRICS[name]
    if kind not in metric.kinds:
        fitting = ", ".join(m.name for m in METRICS.values() if kind in m.kinds)
        raise SpecError(
            "ADC-METRIC-002",
            f"{name} is not defined for task kind {kind}",
            "metrics.primary",
            repr(name),
            f"for {kind} choose one of {fitting}",
        )
    return metric


def _predicted(outputs: Array) -> Array:
    return np.asarray(np.asarray(outputs).argmax(axis=1))


def _hits(outputs: Array, targets: Array) -> Array:
    return np.asarray(_predicted(outputs) == targets, dtype=float)


def _of_the_truth(outputs: Array, targets: Array) -> Array:
    """The probability given to the truth."""
    return np.asarray(probabilities(outputs)[np.arange(len(targets)), targets.astype(int)])


def _log_loss_rows(outputs: Array, targets: Array) -> Array:
    return np.asarray(-np.log(np.clip(_of_the_truth(outputs, targets), _EPSILON, 1.0)))


def _absolute_error(outputs: Array, targets: Array) -> Array:
    error = np.abs(np.asarray(outputs, dtype=float) - np.asarray(targets, dtype=float))
    return np.asarray(error.reshape(len(error), -1).mean(axis=1))


def _mean_of(rows: Callable[[Array, Array], Array]) -> Callable[[Array, Array], float]:
    return lambda outputs, targets: float(np.mean(rows(outputs, targets)))


def _balanced_accuracy(outputs: Array, targets: Array) -> float:
    from sklearn.metrics import recall_score

    return float(recall_score(targets, _predicted(outputs), average="macro", labels=distinct_values(targets)))


def _macro_f1(outputs: Array, targets: Array) -> float:
    from sklearn.metrics import f1_score

    return float(
        f1_score(targets, _predicted(outputs), average="macro", labels=distinct_values(targets), zero_division=0)
    )


def _rmse(outputs: Array, targets: Array) -> float:
    """Root mean squared error: of several outputs (n, k) the mean of theirs, of an image that of all its pixels."""
    from sklearn.metrics import root_mean_squared_error

    several = np.ndim(targets) == 2
    return float(root_mean_squared_error(*((a if several else np.ravel(a)) for a in (targets, outputs))))


def _r2(outputs: Array, targets: Array) -> float:
    from sklearn.metrics import r2_score

    return float(r2_score(targets, outputs))


def _roc_auc(outputs: Array, targets: Array) -> float:
    from sklearn.metrics import roc_auc_score

    return _over_classes(roc_auc_score, outputs, targets)


def _average_precision(outputs: Array, targets: Array) -> float:
    from sklearn.metrics import average_precision_score

    return _over_classes(average_precision_score, outputs, targets)


def _over_classes(score_of: Callable[[Array, Array], float], outputs: Array, targets: Array) -> float:
    each = [score_of(truth, score) for truth, score in _against_rest(outputs, targets)]
    return float(np.mean(each)) if each else np.nan


def _against_rest(outputs: Array, targets: Array) -> list[tuple[Array, Array]]:
    """Of two classes the second, of more each that is present: whose rows are its, and their scores.

    Nothing without two classes present.
    """
    present, given = distinct_values(targets), probabilities(outputs)
    if len(present) < 2:
        return []
    classes = (1,) if given.shape[1] == 2 else present.astype(int)
    return [(np.asarray(targets) == k, given[:, k]) for k in classes]


def _balanced_accuracy_rows(outputs: Array, targets: Array) -> Array:
    return jackknife.balanced_accuracy(targets, _predicted(outputs))


def _macro_f1_rows(outputs: Array, targets: Array) -> Array:
    return jackknife.macro_f1(targets, _predicted(outputs), labels=distinct_values(targets))


def _rmse_rows(outputs: Array, targets: Array) -> Array:
    error = (np.asarray(outputs, dtype=float) - np.asarray(targets, dtype=float)) ** 2
    if error.ndim == 2:
        return np.asarray(np.mean([jackknife.root_mean(one) for one in error.T], axis=0))
    return jackknife.root_mean(error.reshape(len(error), -1).mean(axis=1))


def _r2_rows(outputs: Array, targets: Array) -> Array:
    return jackknife.r_squared(targets, outputs)


def _curve_rows(pseudo: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    """The mean over the classes of the values of a row for each."""

    def rows(outputs: Array, targets: Array) -> Array:
        return np.asarray(np.mean([pseudo(*one) for one in _against_rest(outputs, targets)], axis=0))

    return rows


def _built_in(
    name: str,
    of: Callable[[Array, Array], float] | None = None,
    per_row: Callable[[Array, Array], Array] | None = None,
    pseudo: Callable[[Array, Array], Array] | None = None,
) -> Metric:
    """A metric of `studyfile.names`. of: left out where it is the mean of `per_row`."""
    about = names.METRICS[name]
    if of is None:
        assert per_row is not None
        of = _mean_of(per_row)
    return Metric(
        name=name, better=about.better, of=of, per_row=per_row, kinds=about.kinds, pseudo=pseudo, needs=about.needs
    )


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        _built_in("accuracy", per_row=_hits),
        _built_in("balanced_accuracy", _balanced_accuracy, pseudo=_balanced_accuracy_rows),
        _built_in("log_loss", per_row=_log_loss_rows),
        _built_in("macro_f1", _macro_f1, pseudo=_macro_f1_rows),
        _built_in("roc_auc", _roc_auc, pseudo=_curve_rows(jackknife.auc)),
        _built_in("average_precision", _average_precision, pseudo=_curve_rows(jackknife.average_precision)),
        _built_in("mae", per_row=_absolute_error),
        _built_in("rmse", _rmse, pseudo=_rmse_rows),
        _built_in("r2", _r2, pseudo=_r2_rows),
        _built_in("psnr", per_row=psnr_rows),
        _built_in("ssim", per_row=ssim_rows),
        _built_in("iou", per_row=iou_rows),
    )
}
