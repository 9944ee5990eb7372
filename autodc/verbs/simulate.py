"""`autodc simulate`: campaigns on the user's own rows and noise; how often would it be wrong, what could it detect."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, final

from autodc.errors import InputError
from autodc.lab.joint import Asked, Together, conclude_together, play_sort, sorts
from autodc.lab.nights import POWER, Played, Setup, batches, conclude, play
from autodc.study.rules import allowance
from autodc.studyfile.study import MachineSpec, StudySpec
from autodc.verbs.calibration import Calibration, Told, calibrate, read_calibration
from autodc.verbs.noise import slice_rows
from autodc.verbs.playing import each_setup, played, processes_of, together_setup
from autodc.wire.inputs import Inputs, read_inputs

SCHEMA_VERSION = 2


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationResult:
    """What the campaigns showed."""

    study: str
    seed: int
    calibration: Calibration
    """Where the noise was measured."""
    planned: int
    fdr: float
    pairs: int
    nights: int
    """Of each kind."""
    decisions: int
    """Single ones of each kind and size; 0 where evidence is weighed together."""
    datasets: int
    """Of a night."""
    slices: tuple[dict[str, Any], ...]
    """Rows, noise and what each slice can show, as `check` tells it."""
    played: Played | Together
    """The figures, of a study where each dataset proves itself or of one that weighs evidence together."""
    verdict: str
    """One plain sentence."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form: shares are 0 to 1, with 95% intervals for the number of repeats."""
        return {
            "schema_version": SCHEMA_VERSION,
            "study": self.study,
            "seed": self.seed,
            "calibration": {
                "runs": self.calibration.count,
                "source": self.calibration.source,
                "trained_now": self.calibration.trained,
            },
            "deterministic": self.calibration.deterministic,
            "tests": self.planned,
            "fdr": self.fdr,
            "pairs_at_most": self.pairs,
            "nights": self.nights,
            "decisions": self.decisions,
            "datasets": self.datasets,
            "slices": [dict(one) for one in self.slices],
            **self.played.to_dict(),
            "detectable": self.played.detectable,
            "verdict": self.verdict,
        }


def simulate(
    spec: StudySpec,
    machine: MachineSpec | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    source: str | os.PathLike[str] | None = None,
    nights: int | None = None,
    gains: Sequence[float] = (),
    seed: int | None = None,
    processes: int | None = None,
    progress: Told = lambda what, done, total: None,
    stop: Callable[[], bool] = lambda: False,
) -> SimulationResult:
    """Simulate what the gate of a study would do on its own rows with its own noise.

    out: where calibration runs are kept, left out: `runs/<name>-simulate`; source: a folder that has them, then
    nothing is trained; nights: of each kind; gains: planted on a target, in metric units; seed: left out, the
    study's; processes: left out, as many as the machine trains at once, one a core where it does not say. The
    figures are a function of study, runs, nights, gains and seed.
    Raises InputError for a study that cannot be read, and study.driver.Interrupted when `stop` says so.
    """
    _sane(nights, gains)
    machine = machine or MachineSpec()
    inputs = read_inputs(spec)
    folder = Path(out if out is not None else Path("runs") / f"{spec.name}-simulate").absolute()
    if source is not None:
        found = read_calibration(inputs, source)
    else:
        found = calibrate(inputs, machine, folder, progress, stop)
    play_all = _each if spec.gate.evidence == "each" else _together
    run = partial(played, processes=processes or processes_of(machine), told=progress, stop=stop)
    shown = play_all(inputs, found, nights, gains, spec.seed if seed is None else seed, run)
    return replace(shown, slices=tuple(slice_rows(inputs, found)), verdict=_assumed(found) + shown.verdict)


def _each(
    inputs: Inputs, found: Calibration, count: int | None, gains: Sequence[float], seed: int, run: Callable[..., Any]
) -> SimulationResult:
    setup = each_setup(inputs, found, count, gains, seed)
    figures = conclude(setup, run(setup, batches(setup), play))
    bare = _bare(inputs.spec, found, setup.seed, setup.nights, setup.planned, figures)
    return replace(bare, decisions=setup.decisions, verdict=_verdict(setup, figures))


def _together(
    inputs: Inputs, found: Calibration, count: int | None, gains: Sequence[float], seed: int, run: Callable[..., Any]
) -> SimulationResult:
    asked = together_setup(inputs, found, count, gains, seed)
    figures = conclude_together(asked, run(asked, sorts(asked), play_sort))
    bare = _bare(inputs.spec, found, asked.seed, asked.nights, asked.datasets, figures)
    return replace(bare, verdict=_verdict_together(asked, figures))


def _bare(
    spec: StudySpec, found: Calibration, seed: int, nights: int, datasets: int, figures: Played | Together
) -> SimulationResult:
    return SimulationResult(
        study=spec.name,
        seed=seed,
        calibration=found,
        planned=allowance.planned_tests(spec),
        fdr=spec.gate.fdr,
        pairs=spec.gate.looks[-1],
        nights=nights,
        decisions=0,
        datasets=datasets,
        slices=(),
        played=figures,
        verdict="",
    )


def _assumed(found: Calibration) -> str:
    """What must be said before any figure where the noise is not that of the study."""
    if not found.deterministic:
        return ""
    return (
        f"The {found.count} calibration trainings are identical: this learner is deterministic, its noise is unknown "
        "and the figures rest on an assumed one. "
    )


def _verdict(setup: Setup, figures: Played) -> str:
    """One sentence for a tired person."""
    null, mixed, found = figures.null.nights_keeping, figures.mixed, figures.detectable
    wrong = (
        f"Of {null.of} nights of {setup.planned} useless datasets, {null.hits or 'none'} kept anything"
        f" (so at most {null.interval[1]:.0%} of such nights, with 95% confidence)"
    )
    if mixed.kept.hits:
        wrong += f"; of {mixed.kept.hits} datasets kept in mixed nights, {mixed.false_keeps.hits or 'none'} "
        wrong += f"{'was' if mixed.false_keeps.hits <= 1 else 'were'} useless or harmful"
    if found is None:
        most = max((p for p in figures.planted if p.helpful), key=lambda p: p.gain)
        power = f"even a gain of {most.gain:g} on one target is kept only in {most.found.kept.value:.0%} of cases"
        power += ": more validation rows or pairs are needed to see less"
    else:
        power = f"a gain of {found:g} on one target is kept in at least {POWER:.0%} of cases, smaller ones less often"
    return f"{wrong}; {power}."


def _verdict_together(asked: Asked, figures: Together) -> str:
    """One sentence for a tired person."""
    useless, mixed, found = figures.useless.keeping, figures.mixed, figures.detectable
    wrong = (
        f"Of {useless.of} nights of {asked.datasets} useless datasets, {useless.hits or 'none'} kept any"
        f" (so at most {useless.interval[1]:.0%} of such nights, with 95% confidence)"
    )
    wrong += f"; of {mixed.harmful.of} harmful datasets in mixed nights, {mixed.harmful.hits or 'none'} "
    wrong += "was kept" if mixed.harmful.hits <= 1 else "were kept"
    if found is None:
        most = figures.joint[-1]
        power = f"even small gains of {most.gain:g} together are found only in {most.found.value:.0%} of nights"
        power += ": more validation rows are needed to see less"
    else:
        power = f"small gains of {found:g} together are found in at least {POWER:.0%} of nights, less of them more "
        power += "rarely"
    return f"{wrong}; {power}."


def _sane(nights: int | None, gains: Sequence[float]) -> None:
    if nights is not None and nights < 1:
        raise InputError("ADC-SIM-003", "there must be a night to simulate", "--nights", str(nights), "give 1 or more")
    bad = [g for g in gains if not 0 < g < float("inf")]
    if bad:
        raise InputError(
            "ADC-SIM-004", "a planted gain is a number above 0, in metric units", "--gain", f"{bad[0]:g}", "as in 0.02"
        )
