"""What the page of a large study costs: seconds to write, bytes, and seconds to the first paint in Chromium.

    python -m benchmarks.report                     # writes benchmarks/results/report.md
    python -m benchmarks.report --trials 540 --turns 1

The study is a journal of some 2,000 trainings in six rounds: 40 candidates, 12 slices, 90 comparisons, six diagnoses
of ten findings, each with the pictures of 18 rows. The pictures are Fashion-MNIST where it is there, else
scikit-learn's digits; the scores are drawn from a plain model of what datasets bring, for what a page costs depends on
how much there is and not on what it says. The state is read before the clock starts; written are all that `autodc
report` writes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import table

RESULTS = Path(__file__).parent / "results" / "report.md"
FASHION = Path("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")
TRIALS, TURNS, ROUNDS, CANDIDATES, SLICES = 2140, 5, 6, 40, 12
FINDINGS, SHOWN, COMPARISONS, SLOTS, SEED = 10, 18, 15, 8, 1
MOST_SECONDS, MOST_MB, MOST_PAINT = 5.0, 8.0, 1.0
HOURS = 8


def pictures() -> tuple[str, np.ndarray[Any, Any]]:
    """Their name, and grey pictures of 0 to 255, shape (n, h, w)."""
    if FASHION.exists():
        with gzip.open(FASHION) as file:
            return "Fashion-MNIST", np.frombuffer(file.read(), dtype=np.uint8, offset=16).reshape(-1, 28, 28)
    from sklearn.datasets import load_digits

    return "digits", np.kron(load_digits().images * 15.9, np.ones((1, 3, 3))).astype(np.uint8)


class Night:
    """Writes the events of a large study, one after the other."""

    def __init__(self, trials: int, store: Any, shown: np.ndarray[Any, Any]) -> None:
        from autodc.plan.plan import Plan
        from autodc.study.journal import events as ev

        self.rng, self.store, self.shown = np.random.default_rng(SEED), store, shown
        self.names = [f"set_{k:02d}" for k in range(CANDIDATES)]
        self.worth = self.rng.normal(0.003, 0.006, CANDIDATES)
        self.slices = {f"slice_{k}": k for k in range(SLICES)}
        self.start = Plan.of({"base": 1.0}, {"lr": 0.01, "width": 32})
        self.best, self.events, self.number, self.looks = self.start, list[Any](), 0, 0
        self.clock, self.each = 1_790_000_000.0, HOURS * 3600 * SLOTS / trials
        spec = {
            "schema_version": 1,
            "name": "large",
            "task": {"kind": "classification", "trainer": "sklearn"},
            "data": {
                "base": {"source": "base.npz"},
                "validation": {"source": "validation.npz"},
                "test": {"source": "test.npz"},
                "candidates": [{"name": name, "source": f"{name}.npz"} for name in self.names],
            },
            "metrics": {"primary": "accuracy"},
            "slices": [{"name": "slice_0", "role": "guard", "margin": 0.01}, {"name": "slice_1", "role": "target"}],
            "loop": {"rounds": ROUNDS},
            "budget": {"trainings": trials},
        }
        cards = {
            n: {"rows": 500, "cost": 10.0, "tags": ["given"], "candidate": True, "fingerprint": 64 * "a"}
            for n in self.names
        }
        roles = {name: "guard" if k == 0 else "target" for name, k in self.slices.items()}
        self.events += [
            ev.StudyStarted(
                fingerprint=64 * "e",
                name="large",
                spec=spec,
                datasets={"base": {"rows": 20_000, "fingerprint": 64 * "b"}, **cards},
                slices={
                    name: {"role": role, "margin": 0.01 if role == "guard" else None, "weight": 1.0, "rows": 900}
                    for name, role in roles.items()
                },
                start=self.start.to_dict(),
            ),
            ev.SessionStarted(slots=SLOTS, machine={"runner": "ray"}, time=self.clock, command="autodc run large.yaml"),
            ev.PhaseStarted(round=0, phase="calibration", time=self.clock, planned=8),
        ]
        for _ in range(8):
            self.train(self.start, "calibration", 0)
        for number in range(1, ROUNDS + 1):
            self.round(number, (trials - 28) // ROUNDS)
        self.end()

    def train(self, plan: Any, phase: str, round_number: int) -> None:
        """One training, on the next free slot of all; one in sixty fails."""
        from autodc.plan.trial import Outcome, Trial
        from autodc.study.journal import events as ev

        number, self.number = self.number, self.number + 1
        gain = sum(self.worth[self.names.index(n)] * w for n, w in plan.mixture if n in self.names)
        scores = {name: float(0.7 + 0.01 * k + gain + self.rng.normal(0, 0.008)) for name, k in self.slices.items()}
        ended = self.clock + (number // SLOTS + 1) * self.each
        times = {
            "started": ended - 0.9 * self.each,
            "ended": ended,
            "seconds": 0.9 * self.each,
            "train_seconds": 0.7 * self.each,
        }
        outcome = (
            Outcome(status="failed", error="RuntimeError: out of memory: 3.1 GB asked, 2.0 GB there", **times)
            if phase == "search" and self.rng.random() < 1 / 60
            else Outcome(
                status="done", slices=scores, explore=scores, arrays="a", predict_ms=0.4, model_mb=2.2, **times
            )
        )
        trial = Trial(number=number, plan=plan, seed=number, phase=phase)
        origin = "screen" if phase == "search" and self.rng.random() < 0.1 else "thompson"
        self.events += [
            ev.TrialPlanned(
                trial=trial.to_dict(), round=round_number, horizon=number, origin=origin, time=ended - self.each
            ),
            ev.TrialFinished(number=number, outcome=outcome.to_dict(), time=ended),
        ]

    def now(self) -> float:
        """When the last training ended."""
        return self.clock + (self.number // SLOTS + 1) * self.each

    def round(self, number: int, trainings: int) -> None:
        """Diagnosis, search and gate of a round; what its comparisons keep joins the incumbent."""
        from autodc.plan.plan import Plan
        from autodc.study.journal import events as ev

        self.events.append(ev.PhaseStarted(round=number, phase="diagnose", time=self.now()))
        self.diagnose(number)
        self.events.append(ev.PhaseStarted(round=number, phase="search", time=self.now() + 60, planned=trainings))
        for _ in range(int(0.6 * trainings)):
            chosen = self.rng.choice(self.names, 8, replace=False)
            weights = {n: float(w) for n, w in zip(chosen, self.rng.choice([0.5, 1.0, 1.5], 8), strict=True)}
            lr = float(10 ** self.rng.uniform(-3, -1))
            self.train(Plan.of({"base": 1.0, **weights}, {"lr": lr, "width": 64}), "search", number)
        self.events.append(ev.PhaseStarted(round=number, phase="gate", time=self.now()))
        per = max(1, int(0.4 * trainings) // (2 * COMPARISONS))
        for k in range(COMPARISONS):
            name = self.names[(number * COMPARISONS + k) % CANDIDATES]
            self.compare(name, number, per)

    def compare(self, name: str, number: int, pairs: int) -> None:
        """One comparison with three looks."""
        from autodc.plan.plan import Plan
        from autodc.study.journal import events as ev

        known, worth = dict(self.best.mixture), float(self.worth[self.names.index(name)])
        new = Plan.of({**known, name: 1.0}, {"lr": 0.02, "width": 64})
        ident, self.looks = self.looks, self.looks + 1
        verdict = "keep" if worth > 0.006 and name not in known else "drop" if worth < -0.004 else "undecided"
        self.events.append(
            ev.ComparisonOpened(
                id=ident, round=number, horizon=self.number, subject=name, subject_kind="dataset", purpose="addition",
                challenger=new.to_dict(), incumbent=self.best.to_dict(), members=(name,), alpha=0.002, share=0.001,
            )
        )  # fmt: skip
        for _ in range(pairs):
            self.train(new, "gate", number)
            self.train(self.best, "gate", number)
        for look in (1, 2, 3):
            self.events.append(
                ev.LookTaken(
                    comparison=ident, horizon=self.number, look=self.look(worth, look, verdict), seeds=(5, 6, 7)
                )
            )
        code = {"keep": "ADC-G001", "drop": "ADC-G020", "undecided": "ADC-G031"}[verdict]
        self.events.append(
            ev.VerdictReached(
                comparison=ident, round=number, horizon=self.number, subject=name, subject_kind="dataset",
                verdict=verdict, reasons=(code,), trainings=2 * pairs,
            )
        )  # fmt: skip
        if verdict == "keep":
            self.best = new
            self.events.append(
                ev.IncumbentMoved(round=number, horizon=self.number, plan=new.to_dict(), comparison=ident, model=0)
            )

    def look(self, worth: float, pairs: int, verdict: str) -> dict[str, Any]:
        """A look as the gate writes it, on every slice."""
        from autodc.gate.types import Look, SliceLook

        def seen(role: str, margin: float | None) -> SliceLook:
            middle, reach = worth + float(self.rng.normal(0, 0.002)), 0.02 / pairs
            return SliceLook(
                role=role, difference=middle, low=middle - reach, high=middle + reach, rows=900, pairs=pairs,
                standard_error=reach / 2, df=9.0, z=2 * middle / reach, bound=3.0, margin=margin, gained=None,
                step="holds" if margin else None,
            )  # fmt: skip

        slices = {n: seen("guard" if k == 0 else "target", 0.01 if k == 0 else None) for n, k in self.slices.items()}
        return Look(
            pairs=pairs, verdict=verdict, reasons=(), slices=slices, objective=seen("target", None), alpha=0.002
        ).to_dict()  # fmt: skip

    def diagnose(self, number: int) -> None:
        """Ten findings with pictures and causes."""
        from autodc.study.journal import events as ev

        told = {"round": number, "horizon": self.number, "plan": self.best.to_dict(), "trial": 0}
        self.events.append(ev.DiagnosisMade(**told, rows=3000, findings=FINDINGS))
        for k in range(FINDINGS):
            of = self.rng.integers(len(self.shown), size=SHOWN)
            rows = [
                {
                    "id": int(row), "error": float(i < 12), "target": f"class {row % 10}",
                    "prediction": f"class {(row + (i < 12)) % 10}", "confidence": 0.6,
                    "values": {f"attribute_{a}": float(self.rng.normal()) for a in range(8)},
                }
                for i, row in enumerate(of)
            ]  # fmt: skip
            cards = json.dumps({"kind": "image", "failing": 12, "rows": rows}).encode()
            arrays = {
                "cards": np.frombuffer(cards, dtype=np.uint8),
                "inputs": np.repeat(self.shown[of][..., None], 3, axis=3),
            }
            gap = {"difference": 0.4, "low": 0.3, "high": 0.5, "failing": 1.0, "passing": 0.6}
            self.events.append(
                ev.FindingMade(
                    id=f"F{(number - 1) * FINDINGS + k + 1}", code="ADC-D001", round=number, horizon=self.number,
                    basis="attributes", rule=f"attribute_{k % 8} < {0.1 * k:.1f}",
                    status="confirmed" if k < 5 else "suspected", found=60, confirmed=55, by="beam",
                    error={"inside": 0.44, "outside": 0.11, "difference": 0.33, "low": 0.21, "high": 0.45},
                    causes=tuple({"attribute": f"attribute_{a}", **gap} for a in range(6)),
                    ids=tuple(int(row) for row in of), exhibit=self.store.put(arrays),
                )
            )  # fmt: skip

    def end(self) -> None:
        """Start and end on the sealed test, and what both predict of validation."""
        from autodc.study.journal import events as ev

        self.events.append(ev.PhaseStarted(round=ROUNDS, phase="test", time=self.now()))
        for plan in (self.start, self.best):
            for _ in range(5):
                self.train(plan, "test", ROUNDS)
        seen = {"difference": 0.05, "low": 0.04, "high": 0.06, "rows": 900, "pairs": 5}
        self.events += [
            ev.TestSetOpened(opened_at="2026-11-28T06:00:00Z"),
            ev.TestSetMeasured(
                before=dict.fromkeys(self.slices, 0.7),
                after=dict.fromkeys(self.slices, 0.75),
                differences=dict.fromkeys(self.slices, seen),
            ),
            ev.StudyFinished(because="budget.trainings", time=self.now()),
        ]


def first_paint(page: Path, turns: int) -> list[float] | None:
    """Seconds from the navigation to the first contentful paint, each in a fresh context; None without Chromium."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        return None
    from playwright.sync_api import sync_playwright

    told = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for _ in range(turns + 1):
            opened = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            opened.goto(page.as_uri())
            opened.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
            told.append(opened.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1e3)
            opened.context.close()
        browser.close()
    return told[1:]  # the first starts the browser's own processes


def main() -> None:
    """Write the journal, the page and the figures."""
    from autodc.adapters.artefacts import ArtefactStore
    from autodc.report import write_report
    from autodc.review.result import result
    from autodc.study.journal.fold import fold
    from autodc.verbs.outputs import exhibits_of

    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--trials", type=int, default=TRIALS)
    told.add_argument("--turns", type=int, default=TURNS)
    told.add_argument("--keep", type=Path, help="a folder for the page, to look at it")
    asked = told.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        store = ArtefactStore(folder / "outcomes")
        name, shown = pictures()
        night = Night(asked.trials, store, shown)
        state = fold(night.events)
        classes = shown.reshape(len(shown), -1).astype(np.float32)[:, ::80][:, :10]
        state.outputs |= {
            plan: store.put(
                {"validation": np.roll(np.eye(10, dtype=np.float32)[np.arange(len(classes)) % 10], k, axis=1)}
            )
            for k, plan in ((1, night.start), (0, night.best))
        }
        began = time.process_time()
        content, seconds, work = result(state), list[float](), list[float]()
        reckoned = time.process_time() - began
        for _ in range(asked.turns):
            began, worked = time.perf_counter(), time.process_time()
            page = write_report(state, content, folder, exhibits_of(folder))
            seconds.append(time.perf_counter() - began)
            work.append(time.process_time() - worked)
        size, paints = page.stat().st_size / 1e6, first_paint(page, asked.turns)
        images = page.read_text(encoding="utf-8").count("<img ")
    ran = len(state.trials)
    write, paint = statistics.median(seconds), statistics.median(paints) if paints else None
    rows = [
        ["seconds to write", f"{write:.2f}", f"{min(seconds):.2f} – {max(seconds):.2f}", f"≤ {MOST_SECONDS:g}"],
        ["of it on the processor", f"{statistics.median(work):.2f}", f"{min(work):.2f} – {max(work):.2f}", ""],
        ["megabytes", f"{size:.2f}", "", f"≤ {MOST_MB:g}"],
        [
            "seconds to the first paint",
            "no Chromium" if paint is None else f"{paint:.2f}",
            "" if not paints else f"{min(paints):.2f} – {max(paints):.2f}",
            f"≤ {MOST_PAINT:g}",
        ],
    ]
    lines = [
        "# The page of a large study",
        "",
        f"`python -m benchmarks.report` on {os.cpu_count()} cores, Python {platform.python_version()},",
        f"{asked.turns} turns; load of the machine before {load:.1f}, after {os.getloadavg()[0]:.1f}.",
        "",
        f"{ran:,} trainings, {len(state.comparisons)} comparisons, {len(state.findings)} findings, {images} pictures",
        f"({name}), {CANDIDATES} candidates, {SLICES} slices. The page holds its data as CSV and JSON, loads nothing",
        "and runs no script. Writing: from the state and the content of result.json, which takes "
        f"{reckoned:.1f} s of the processor.",
        "First paint: first contentful paint in Chromium, from the start of the navigation, in a fresh context each.",
        "",
        table(["measure", "median", "least – most", "target"], rows),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    if asked.trials == TRIALS:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
