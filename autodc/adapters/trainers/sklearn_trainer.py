"""The trainer `sklearn`: any scikit-learn estimator, on arrays, tables, text or files; weights draw rows."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.adapters.trainers.difficulty import by_difficulty, staged
from autodc.adapters.trainers.encoding import encoder_of, with_categories
from autodc.adapters.trainers.estimator_threads import hold_threads
from autodc.adapters.trainers.nested import suggest_nested
from autodc.adapters.trainers.options import RECIPE_OF, SklearnOptions
from autodc.data.views import width
from autodc.errors import SpecError
from autodc.hints import suggest
from autodc.plan.mixture import epoch_rows
from autodc.plugins import borrowed_hint, is_in_file, is_path, load_object, own_code
from autodc.seeds import generator, integer
from autodc.table import Inputs, Table, join
from autodc.trial.fitting import AbstractFitting
from autodc.trial.outputs import TrainerError
from autodc.trial.recipes import TrainPhase, phases
from autodc.trial.trainer import TrainingJob

Array = np.ndarray[Any, Any]

PLACE = "task.options.estimator"
FILE = "model.joblib"
MODULES = (
    "ensemble",
    "linear_model",
    "svm",
    "neighbors",
    "tree",
    "neural_network",
    "naive_bayes",
    "discriminant_analysis",
    "gaussian_process",
    "dummy",
    "calibration",
    "cross_decomposition",
    "kernel_ridge",
    "isotonic",
    "semi_supervised",
    "multioutput",
)
"""Where an estimator that is named by its class alone is looked for, in this order; each is imported as it is met."""
HINT_LENGTH = 200
NEEDED = ("fit", "predict", "get_params", "set_params")
"""Methods that every estimator has."""
RANDOM_STATE = "random_state"
GROWS, ITERATES = "n_estimators", "max_iter"
WRAPPED = ("estimator", "regressor", "classifier")
"""How a meta-estimator calls the estimator that it wraps."""


@final
@dataclass(slots=True)
class SklearnModel:
    """A fitted estimator, the scaler or encoder of its inputs and the shapes it knows."""

    estimator: Any
    scaler: Any | None
    n_columns: int
    n_classes: int
    encoder: Any | None = None
    """Of inputs that are no array; None where the estimator gets them as they are."""


@final
class Sklearn(AbstractFitting[SklearnModel]):
    """Fits an estimator on rows drawn by weight; hyperparameters are the estimator's own."""

    def __init__(self, options: SklearnOptions, folder: str) -> None:
        self._options, self._folder = options, folder

    def fit(self, job: TrainingJob) -> SklearnModel:
        """Fit phase after phase; the rows of a phase are one draw by weight, shuffled."""
        legs = [stage for leg in by_difficulty(phases(job), job) for stage in staged(leg)]
        model = self._first(job)
        for leg in legs:
            x, y = _rows(leg, job)
            _advance(model, self._prepared(model, x, leg.index), y, leg, job, self._options)
        return model

    def _prepared(self, model: SklearnModel, x: Inputs, index: int) -> Any:
        """Rows as the estimator takes them; the first ones tell how inputs are encoded, or scaled."""
        if isinstance(x, Table):
            if model.encoder is None and index == 0:
                of = encoder_of(
                    model.estimator,
                    self._options.encode,
                    x,
                    is_own=is_in_file(self._options.estimator),
                    scale=self._options.scale,
                )
                model.encoder = of
                given = x.for_estimator() if of is None else of.fit_transform(x)
                with_categories(model.estimator, of)
                return given
        elif model.scaler is None and scales(self._options):
            model.scaler = _scaler(x)
        return _encoded(model, x)

    def predict(self, model: SklearnModel, x: Inputs) -> Array:
        """Class probabilities (n, C), columns in class order, 0 for classes training never showed; or values."""
        if width(x) != model.n_columns:
            problem = f"inputs do not fit, {model.n_columns} numbers a row are needed"
            raise TrainerError("ADC-TRAIN-035", problem, "sklearn", f"rows of shape {x.shape[1:]}")
        rows = _encoded(model, x if isinstance(x, Table) else np.asarray(x).reshape(len(x), -1))
        if not model.n_classes:
            return np.asarray(model.estimator.predict(rows))
        known = np.asarray(model.estimator.classes_).astype(int)
        outputs = np.zeros((len(x), model.n_classes))
        outputs[:, known] = _probabilities(model.estimator, rows)
        return outputs

    def save(self, model: SklearnModel, folder: Path) -> None:
        """Write the estimator with joblib."""
        import joblib

        kept = (model.estimator, model.scaler, model.n_columns, model.n_classes, model.encoder)
        joblib.dump(kept, folder / FILE)

    def load(self, folder: Path) -> SklearnModel:
        """Read back a model that this study saved."""
        import joblib

        try:
            return SklearnModel(*joblib.load(folder / FILE))
        except Exception as error:  # a pickle that is damaged raises whatever it meets
            raise TrainerError("ADC-TRAIN-030", "this folder holds no saved model", str(folder), str(error)) from error

    def _first(self, job: TrainingJob) -> SklearnModel:
        if job.recipe == "continue" and job.warm_start is not None:
            return self.load(job.warm_start)
        own = {name: value for name, value in job.hyperparameters.items() if name not in RECIPE_OF}
        estimator = build_estimator(self._options, self._folder, own)
        hold_threads(estimator)
        estimator.set_params(**_seeds(estimator, job.seed))
        estimator = _of_several(estimator, job)
        n_columns = width(job.train[0].x)
        return SklearnModel(estimator, None, n_columns, job.n_classes if job.kind == "classification" else 0)


def _seeds(estimator: Any, seed: int) -> dict[str, int]:
    """A seed for the estimator, and for each step within it, that has none."""
    free = [name for name, value in estimator.get_params().items() if value is None]
    return {
        name: integer(seed, "estimator", *([name] if "__" in name else []))
        for name in free
        if name.rpartition("__")[2] == RANDOM_STATE
    }


def estimator_class(options: SklearnOptions, folder: str) -> Any:
    """Find the class (or object) the options name; raises SpecError where there is none."""
    name = options.estimator
    if is_path(name):
        return load_object(name, folder, PLACE)
    known: list[str] = []
    for module in MODULES:
        found = importlib.import_module(f"sklearn.{module}")
        names = getattr(found, "__all__", dir(found))
        if name in names:
            return getattr(found, name)
        known += [other for other in names if other[0].isupper()]
    hint = suggest(name, known, "estimators")[:HINT_LENGTH]
    raise SpecError("ADC-TRAIN-010", "scikit-learn has no such estimator", PLACE, name, hint)


def build_estimator(options: SklearnOptions, folder: str, hyperparameters: Mapping[str, Any]) -> Any:
    """Make the unfitted estimator; raises SpecError where it cannot be made so, or is no estimator."""
    found = estimator_class(options, folder)
    with own_code(_refused(options), folder):
        if isinstance(found, type):
            estimator = found(**options.params)
        elif callable(found) and not hasattr(found, "fit"):
            estimator = found()
        else:
            from sklearn.base import clone

            estimator = clone(found)
    missing = [name for name in NEEDED if not callable(getattr(estimator, name, None))]
    if missing:
        problem = "an estimator is made as scikit-learn's are: class MyEstimator(ClassifierMixin, BaseEstimator)"
        got = f"{options.estimator}: {type(estimator).__name__} without {', '.join(missing)}"
        raise SpecError("ADC-TRAIN-064", problem, PLACE, got, borrowed_hint(options.estimator, folder))
    with own_code(_refused(options), folder):
        if not isinstance(found, type):
            _refuse_unknown(options, estimator)
            estimator.set_params(**options.params)
        estimator.get_params()  # fails for a constructor that does not keep its arguments
        return estimator.set_params(**hyperparameters)


def _refuse_unknown(options: SklearnOptions, estimator: Any) -> None:
    """Raise SpecError ADC-TRAIN-029 for the first of its params that a made estimator does not have."""
    known = list(estimator.get_params())
    for name in options.params:
        if name not in known and name.partition("__")[0] not in known:
            hint = suggest_nested(name, known, "parameters of the estimator")
            problem = "the estimator has no such parameter"
            raise SpecError("ADC-TRAIN-029", problem, f"task.options.params.{name}", name, hint)


def scales(options: SklearnOptions) -> bool:
    """Whether inputs are standardised: as the options say; left out, for scikit-learn's own estimators alone."""
    return not is_path(options.estimator) if options.scale is None else options.scale


def _refused(options: SklearnOptions) -> Callable[[str], SpecError]:
    place = PLACE if is_path(options.estimator) and not options.params else "task.options.params"
    return lambda got: SpecError("ADC-TRAIN-029", "the estimator cannot be made with its params", place, got)


def continues(estimator: Any) -> str | None:
    """How an estimator goes on from what it learnt: `partial_fit`, `warm_start`, or None.

    Histogram gradient boosting has a `warm_start` that is valid on the same rows alone (its bins are), so it does not.
    """
    if hasattr(estimator, "partial_fit"):
        return "partial_fit"
    if type(estimator).__name__.startswith("HistGradientBoosting"):
        return None
    return "warm_start" if "warm_start" in estimator.get_params() else None


def budget_of(estimator: Any) -> str | None:
    """The parameter that is the budget of a training, `n_estimators` or `max_iter`; None where there is none.

    The estimator's own, else that of the last step of a pipeline, or of what a meta-estimator wraps. Steps before the
    last prepare inputs: a share of their iterations would be another preparation, no cheaper training.
    """
    params, prefix = estimator.get_params(deep=False), ""
    while True:
        own = next((name for name in (GROWS, ITERATES) if _is_count(params.get(name))), None)
        if own is not None:
            return prefix + own
        steps = params.get("steps")
        wrapped = next((one for one in WRAPPED if one in params), "")
        name: str = steps[-1][0] if steps else wrapped
        inner: Any = steps[-1][1] if steps else params.get(wrapped)
        if isinstance(inner, type) or not hasattr(inner, "get_params"):
            return None
        params, prefix = inner.get_params(deep=False), f"{prefix}{name}__"


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) > 0


def _of_several(estimator: Any, job: TrainingJob) -> Any:
    """The estimator once for each of several targets, where it learns one alone."""
    if job.kind != "regression" or job.train[0].y.ndim < 2:
        return estimator
    from sklearn.multioutput import MultiOutputRegressor
    from sklearn.utils import get_tags

    try:
        learns = get_tags(estimator).target_tags.multi_output
    except Exception:  # made by hand, without scikit-learn's mixins: it knows best
        learns = True
    return estimator if learns else MultiOutputRegressor(estimator)


def _rows(leg: TrainPhase, job: TrainingJob) -> tuple[Inputs, Array]:
    """One epoch of a phase: every part drawn by weight, then shuffled together. Inputs are flattened."""
    drawn = [np.sort(epoch_rows(p.weight, len(p.x), generator(job.seed, "rows", leg.index, p.name))) for p in leg.parts]
    y = np.concatenate([np.asarray(part.y[rows]) for part, rows in zip(leg.parts, drawn, strict=True)])
    order = generator(job.seed, "order", leg.index).permutation(len(y))
    if isinstance(leg.parts[0].x, Table):
        starts = np.cumsum([0, *(len(part.x) for part in leg.parts)])
        places = np.concatenate([rows + start for rows, start in zip(drawn, starts, strict=False)])
        return join([part.x for part in leg.parts])[places[order]], y[order]
    x = join([np.asarray(part.x[rows]).reshape(len(rows), -1) for part, rows in zip(leg.parts, drawn, strict=True)])
    return x[order], y[order]


def _scaler(x: Array) -> Any:
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit(x)


def _encoded(model: SklearnModel, x: Inputs) -> Any:
    """Rows as the estimator takes them."""
    if isinstance(x, Table):
        return x.for_estimator() if model.encoder is None else model.encoder.transform(x)
    return x if model.scaler is None else np.asarray(model.scaler.transform(x))


def _advance(model: SklearnModel, x: Any, y: Array, leg: TrainPhase, job: TrainingJob, options: SklearnOptions) -> None:
    """Teach the estimator one phase; its iterations are the budget, scaled by fidelity and the phase's share.

    The estimator's own parameters are left as they were found, so that the next phase starts from the full budget.
    """
    estimator, share = model.estimator, leg.share * job.fidelity
    staged = leg.share < 1 or job.recipe == "continue"
    params = estimator.get_params()
    if staged and (way := continues(estimator)) is None:
        problem = f"{type(estimator).__name__} cannot go on from what it learnt, recipe {job.recipe} needs that"
        raise TrainerError("ADC-TRAIN-011", problem, "sklearn")
    if staged and way == "partial_fit":
        classes = {"classes": np.arange(model.n_classes)} if model.n_classes else {}
        for _ in range(max(1, round(options.epochs * share))):
            estimator.partial_fit(x, y, **classes)
        return
    changed: dict[str, Any] = {"warm_start": True} if staged else {}
    if (budget := budget_of(estimator)) is not None:
        grown = len(getattr(estimator, "estimators_", ())) if staged and budget == GROWS else 0
        changed[budget] = grown + max(1, round(params[budget] * share))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")  # a budget may end before convergence
        estimator.set_params(**changed).fit(x, y)
    estimator.set_params(**{name: params[name] for name in changed if name != "warm_start"})


def _probabilities(estimator: Any, rows: Any) -> Array:
    """Probabilities per known class; from decision values by softmax, else certain of the predicted class."""
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(rows))
    if hasattr(estimator, "decision_function"):
        from scipy.special import softmax

        values = np.asarray(estimator.decision_function(rows))
        return np.asarray(softmax(np.stack([-values, values], 1) / 2 if values.ndim == 1 else values, axis=1))
    predicted = np.asarray(estimator.predict(rows))
    return np.asarray(predicted[:, None] == np.asarray(estimator.classes_)[None, :], dtype=float)
