"""What an open study refuses: a metric turned round, a phase it does not know, an opening of the test set."""

from __future__ import annotations

from autodc.errors import InputError
from autodc.evaluation.metrics import Metric
from autodc.study.journal.state import State
from autodc.study.phases.phase import Phase
from autodc.study.rules import allowance, last
from autodc.study.view import View
from autodc.studyfile.study import StudySpec


def refuse_other_direction(state: State, metric: Metric) -> None:
    """Raise InputError ADC-RUN-060 where a user's metric was turned round since the study began."""
    told = state.question.metric.get("better", metric.better)
    if told != metric.better:
        raise InputError(
            "ADC-RUN-060",
            "this study began with a metric that gets better the other way",
            "metrics.primary",
            f"better = {metric.better!r} of {metric.name}, {told!r} in the journal",
            f"put it back to {told!r}, or choose another folder: all its trainings were judged by it",
        )


def refuse_unknown_phase(state: State, order: tuple[Phase, ...]) -> None:
    """Raise InputError ADC-RUN-020 where the journal has a phase that is not in the order."""
    known = {phase.name for phase in order}
    unknown = [p.phase for p in state.phases if p.phase not in known]
    if unknown:
        raise InputError(
            "ADC-RUN-020",
            "the journal has a phase that this autodc does not know",
            "--out",
            unknown[0],
            "go on with the autodc, and the phases of its own, that the study was begun with",
        )


def refuse_second_opening(state: State, force: bool) -> None:
    """Raise InputError ADC-RUN-015 where the test set was read already and this is not forced."""
    if force or not state.opened or state.unmeasured:
        return
    raise InputError(
        "ADC-RUN-015",
        "the test set was opened already",
        "--open-test",
        ", ".join(one.opened_at for one in state.opened),
        "its first reading is the honest one: what is chosen after it may be chosen by it. --force opens it again, and "
        "the report will say so in red",
    )


def refuse_no_test_set(spec: StudySpec) -> None:
    """Raise InputError ADC-RUN-014 where there is no test set to open."""
    if spec.data.test is None:
        hint = "name one as data.test in a new study; this one has chosen by validation alone"
        raise InputError("ADC-RUN-014", "the study has no test set to open", "--open-test", "", hint)


def refuse_unpaid_opening(view: View) -> None:
    """Raise InputError ADC-RUN-016 where no training can be paid for the last measurement."""
    cap = allowance.asked(view.spec)
    if last.seeds_paid(view, cap) < 1:
        raise InputError(
            "ADC-RUN-016",
            "no training is left for the last measurement",
            "--open-test",
            f"{view.state.spent:g} of {cap:g} trainings spent",
            f"raise budget.trainings by {2 * allowance.FINAL_SEEDS} or so: --set budget.trainings=…",
        )
