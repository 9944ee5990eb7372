"""Measures peers and references, and keeps them here: `python -m benchmarks.real` reads them and trains none of it.

    python -m benchmarks.real.measure --peers base everything tpe add random --cases bikes --nights 0 1
    python -m benchmarks.real.measure --reference --cases bikes

What is known already is not measured again; a case whose rows have changed is.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import optuna

from benchmarks import lines
from benchmarks.real import reference
from benchmarks.real.cases import CASES, case
from benchmarks.real.night import TRAININGS, Ground
from benchmarks.real.peers import PEERS, measured

FOLDER = Path(__file__).resolve().parent / "peers"
NIGHTS = 6


def main() -> None:
    """Measure what is asked for and not known."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    options.add_argument("--peers", nargs="*", default=[], choices=list(PEERS))
    options.add_argument("--nights", nargs="+", type=int, default=list(range(NIGHTS)))
    options.add_argument("--reference", action="store_true", help="what each candidate is worth")
    given = options.parse_args()
    quiet()
    for seed in given.nights:
        for name in given.cases:
            for peer in given.peers:
                if not known(name, seed, peer):
                    began = time.perf_counter()
                    add(name, measured(Ground(case=case(name), seed=seed), peer))
                    print(f"{name} {seed} {peer}: {time.perf_counter() - began:.0f} s", flush=True)
    for name in given.cases if given.reference else ():
        if (reference.reference(name) or {}).get("digest") != case(name).digest:
            began = time.perf_counter()
            reference.keep(name, {"digest": case(name).digest, **reference.measure(case(name))})
            print(f"{name} reference: {time.perf_counter() - began:.0f} s", flush=True)


def quiet() -> None:
    """No word of Optuna's a trial."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


def peers(name: str) -> list[dict[str, Any]]:
    """What was measured of the peers of a case, one a night and peer."""
    return lines.read(FOLDER / f"{name}.jsonl")


def known(name: str, seed: int, peer: str) -> bool:
    """Whether a peer's night was measured, on the rows that the case has now."""
    wanted = {"seed": seed, "peer": peer, "trainings": TRAININGS, "digest": case(name).digest}
    return any(wanted.items() <= one.items() for one in peers(name))


def add(name: str, found: dict[str, Any]) -> None:
    """Keep a peer's night; one of the same peer and seed gives way."""
    left = [one for one in peers(name) if (one["seed"], one["peer"]) != (found["seed"], found["peer"])]
    all_of_them = sorted([*left, {"digest": case(name).digest, **rounded(found)}], key=lambda o: (o["seed"], o["peer"]))
    FOLDER.mkdir(exist_ok=True)
    text = "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in all_of_them)
    (FOLDER / f"{name}.jsonl").write_text(text, encoding="utf-8")


def rounded(value: Any) -> Any:
    """The same with six digits a number."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
