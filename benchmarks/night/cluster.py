"""How many workers one driver keeps busy, in virtual time."""

from __future__ import annotations

from functools import partial

from benchmarks.night.part import Figures, Part
from benchmarks.virtual_cluster import HEAD, WORKERS, cluster

QUICK = 50
TURNS = 8
GOALS = {1000: "95%, 70%"}


def workers(count: int, by: str, quick: bool) -> Figures:
    """A search of some trainings a worker."""
    count = QUICK if quick else count
    found = dict(zip(HEAD, cluster(count, TURNS * count, by=by).row(), strict=True))
    return {**found, "goal": GOALS.get(count, "")}


PART = Part(
    title="Virtual cluster",
    words=(
        "`benchmarks/virtual_cluster.py`: the real loop, journal and stores, trainings of 5 s on workers that exist in "
        "virtual time, from the moment when all of them train. Virtual time goes on by the driver's CPU, or by its "
        "time on the wall with every sync of the disk. Sampler random; the socket to the workers is left out."
    ),
    cases={
        f"{count:,} workers, driver by its {'CPU' if by == 'cpu' else 'time on the wall'}": partial(workers, count, by)
        for by in ("cpu", "wall")
        for count in WORKERS
    },
)
