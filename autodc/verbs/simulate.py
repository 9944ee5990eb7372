"""`autodc simulate`: campaigns on the user's own rows and noise; how often would it be wrong, what could it detect."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from joblib import Parallel, delayed

from autodc.errors import InputError
from autodc.lab.calibrated import calibrated
from autodc.lab.nights import POWER, Batch, Played, Setup, batches, conclude, play, sizes
from autodc.lab.simulate import CampaignResult
from autodc.study.driver import Interrupted
from autodc.study.rules import allowance
from autodc.studyfile.study import MachineSpec, StudySpec
from autodc.verbs.calibration import Calibration, Told, calibrate, read_calibration
from autodc.verbs.noise import slice_rows
from autodc.wire.inputs import Inputs, read_inputs

CANDIDATES = 1200
"""Simulated comparisons of each kind of night, where the number of nights is left to us."""
FEWEST, MOST = 40, 200
"""Nights of each kind, at least and at most."""
DECISIONS = 200
"""Single decisions of each planted kind and size."""
SCHEMA_VERSION = 1


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
    decisions: int
    slices: tuple[dict[str, Any], ...]
    """Rows, noise and what each slice can show, as `check` tells it."""
    played: Played
    """The figures."""
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
            "slices": [dict(one) for one in self.slices],
            "null": self.played.null.to_dict(),
            "mixed": self.played.mixed.to_dict(),
            "planted": [p.to_dict() for p in self.played.planted],
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
    setup = _setup(inputs, found, nights, gains, spec.seed if seed is None else seed)
    played = conclude(setup, _played(setup, processes or _processes(machine), progress, stop))
    return SimulationResult(
        study=spec.name,
        seed=setup.seed,
        calibration=found,
        planned=setup.planned,
        fdr=spec.gate.fdr,
        pairs=spec.gate.looks[-1],
        nights=setup.nights,
        decisions=setup.decisions,
        slices=tuple(slice_rows(inputs, found)),
        played=played,
        verdict=_assumed(found) + _verdict(setup, played),
    )


def _setup(inputs: Inputs, found: Calibration, nights: int | None, gains: Sequence[float], seed: int) -> Setup:
    spec = inputs.spec
    planned = allowance.planned_tests(spec)
    gate = spec.gate.model_copy(update={"calibration": allowance.calibration_runs(spec)})
    known = calibrated(found.worlds)
    pools = {name: (prior.seed, prior.residual) for name, prior in found.pools.slices.items()}
    every = tuple(r.name for r in found.objective)
    return Setup(
        known=known,
        gate=gate,
        planned=planned,
        declared=tuple(_declared(c.targets, every) for c in spec.data.candidates) or (every,),
        gains=tuple(sorted(set(gains))) or sizes(known, pools, gate, planned),
        nights=nights or max(FEWEST, min(MOST, CANDIDATES // planned)),
        decisions=DECISIONS if nights is None else max(1, min(DECISIONS, 5 * nights)),
        seed=seed,
    )


def _declared(named: Sequence[str] | None, every: tuple[str, ...]) -> tuple[str, ...]:
    """The targets a candidate is meant for, among those that are evidence; all of them where none of its own is."""
    return tuple(n for n in every if named is None or n in named) or every


def _played(
    setup: Setup, processes: int, told: Told, stop: Callable[[], bool]
) -> Iterator[tuple[Batch, list[CampaignResult]]]:
    """Play all batches, in processes of one thread each. Raises Interrupted when asked to stop."""
    listed = batches(setup)
    workers = max(1, min(processes, len(listed)))
    told("simulating", 0, len(listed))
    results = Parallel(n_jobs=workers, return_as="generator", batch_size=1)(delayed(play)(setup, t) for t in listed)
    for number, (batch, found) in enumerate(zip(listed, results, strict=True), 1):
        told("simulating", number, len(listed))
        if stop():
            raise Interrupted
        yield batch, found


def _processes(machine: MachineSpec) -> int:
    return 1 if machine.runner == "inline" else machine.max_concurrent or os.cpu_count() or 1


def _assumed(found: Calibration) -> str:
    """What must be said before any figure where the noise is not that of the study."""
    if not found.deterministic:
        return ""
    return (
        f"The {found.count} calibration trainings are identical: this learner is deterministic, its noise is unknown "
        "and the figures rest on an assumed one. "
    )


def _verdict(setup: Setup, played: Played) -> str:
    """One sentence for a tired person."""
    null, mixed, found = played.null.nights_keeping, played.mixed, played.detectable
    wrong = (
        f"Of {null.of} nights of {setup.planned} useless datasets, {null.hits or 'none'} kept anything"
        f" (so at most {null.interval[1]:.0%} of such nights, with 95% confidence)"
    )
    if mixed.kept.hits:
        wrong += f"; of {mixed.kept.hits} datasets kept in mixed nights, {mixed.false_keeps.hits or 'none'} "
        wrong += f"{'was' if mixed.false_keeps.hits <= 1 else 'were'} useless or harmful"
    if found is None:
        most = max((p for p in played.planted if p.helpful), key=lambda p: p.gain)
        power = f"even a gain of {most.gain:g} on one target is kept only in {most.found.kept.value:.0%} of cases"
        power += ": more validation rows or pairs are needed to see less"
    else:
        power = f"a gain of {found:g} on one target is kept in at least {POWER:.0%} of cases, smaller ones less often"
    return f"{wrong}; {power}."


def _sane(nights: int | None, gains: Sequence[float]) -> None:
    if nights is not None and nights < 1:
        raise InputError("ADC-SIM-003", "there must be a night to simulate", "--nights", str(nights), "give 1 or more")
    bad = [g for g in gains if not 0 < g < float("inf")]
    if bad:
        raise InputError(
            "ADC-SIM-004", "a planted gain is a number above 0, in metric units", "--gain", f"{bad[0]:g}", "as in 0.02"
        )
