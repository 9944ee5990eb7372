"""What is measured: which peers search which worlds, for how long, how often. Edit here to spend time elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.search.runs import Task

TUNED, UNSEEN = (0, 1, 2, 3, 4), (901, 902)
PICTURES = (0, 1, 2, 3, 10)
ALL = (
    *("mixture", "tpe-multivariate", "tpe", "gp", "random", "regmix"),
    *("naive", "naive-3", "greedy-3", "shapley", "uniform", "base"),
)
SOME = ("mixture", "tpe-multivariate", "tpe", "random", "regmix", "naive", "greedy-3", "uniform", "base")
FINE = (20, 30, 40, 50, 60, 70, 80, 100, 120, 160)
COARSE = (40, 60, 80, 120, 160)
FAMILIES: dict[str, Any] = {"peers": ("mixture",), "fine": (50, 100, 200), "seeds": (0, 1), "repeats": 1, "unseen": ()}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How one world is searched.

    fine: stops of our sampler and of multivariate TPE; coarse: of the others, with the same end; repeats: runs of every
    world seed; few: peer → (runs in all, trainings), where it is too slow for the others' share; unseen: peers that are
    run in worlds which were in no tuning of the sampler.
    """

    title: str
    peers: tuple[str, ...] = ALL
    fine: tuple[int, ...] = FINE
    coarse: tuple[int, ...] = COARSE
    seeds: tuple[int, ...] = TUNED
    repeats: int = 2
    few: dict[str, tuple[int, int]] = field(default_factory=dict)
    unseen: tuple[str, ...] = ("mixture", "tpe-multivariate")
    unseen_seeds: tuple[int, ...] = UNSEEN
    unseen_repeats: int = 1


SETTINGS: dict[str, Setting] = {
    "K200": Setting(
        title="Synthetic, 200 candidates",
        peers=("mixture", "tpe-multivariate", "random", "regmix", "uniform", "base"),
        fine=(100, 200),
        coarse=(100, 200),
        few={"tpe-multivariate": (5, 200), "random": (5, 200), "regmix": (5, 200)},
    ),
    "digits": Setting(title="Digits, 12 candidates", seeds=PICTURES, repeats=1, few={"gp": (3, 80)}),
    "fashion": Setting(title="Fashion-MNIST, 12 candidates", seeds=PICTURES, repeats=1, few={"gp": (3, 80)}),
    "tabular": Setting(
        title="Tabular, 20 candidates",
        peers=("mixture", "tpe-multivariate", "random", "naive", "uniform", "base"),
        fine=(40, 60, 80),
        coarse=(40, 80),
        seeds=(0, 1),
        repeats=5,
    ),
    "convention": Setting(
        title="Digits with another label convention, two recipes",
        peers=("mixture", "tpe-multivariate", "uniform", "base"),
        fine=(40, 80),
        coarse=(40, 80),
        seeds=(0, 1, 2),
        repeats=4,
    ),
    "subsets": Setting(
        title="Digits, every one of 1,024 subsets known",
        fine=(10, *FINE[:-3]),
        coarse=(40, 80),
        seeds=(0,),
        repeats=10,
        few={"gp": (4, 80)},
        unseen_seeds=(901,),
    ),
    "families": Setting(title="Synthetic, 200 candidates in 20 families, content unknown", **FAMILIES),
    "families-told": Setting(title="The same, content known", **FAMILIES),
    "families-mistold": Setting(title="The same, the content of other candidates told", **FAMILIES),
    "K60": Setting(
        title="Synthetic, 60 candidates", peers=SOME, fine=(20, 40, 60, 80, 100, 120, 160), coarse=(80, 160)
    ),
    "K20-noisy": Setting(
        title="Synthetic, 20 candidates, noise tripled", few={"gp": (4, 80)}, fine=(20, 40, 60, 80), coarse=(40, 80)
    ),
}
QUICK = ("digits", "K20-noisy")
QUICK_PEERS = ("mixture", "tpe-multivariate", "random", "naive", "uniform")
QUICK_STOPS = (20, 40)
SHARP = ("mixture", "tpe-multivariate")


def tasks(worlds: Sequence[str], peers: Sequence[str] = ()) -> Iterator[Task]:
    """Every run of the campaign in these worlds; `peers` narrows it."""
    for world in worlds:
        setting = SETTINGS[world]
        for peer in setting.peers:
            if peers and peer not in peers:
                continue
            pairs = [(s, r) for r in range(setting.repeats) for s in setting.seeds]
            if peer in setting.unseen:
                pairs += [(s, r) for r in range(setting.unseen_repeats) for s in setting.unseen_seeds]
            stops = setting.fine if peer in SHARP else setting.coarse
            if peer in setting.few:
                count, last = setting.few[peer]
                pairs, stops = pairs[:count], tuple(s for s in stops if s <= last)
            if peer in ("uniform", "base"):
                pairs = [(s, 0) for s in setting.seeds]
            for seed, repeat in pairs:
                yield Task(world=world, seed=seed, repeat=repeat, peer=peer, stops=stops)


def quick() -> Iterator[Task]:
    """Two worlds, a handful of peers, 40 trainings."""
    for world in QUICK:
        for peer in QUICK_PEERS:
            for seed in TUNED[:2]:
                yield Task(world=world, seed=seed, repeat=0, peer=peer, stops=QUICK_STOPS)
