"""Whole studies of the small world that weigh evidence together, driven by hand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from autodc.evaluation.evidence import FINDING
from autodc.gate import reasons
from autodc.gate.questions import Answer, Proposal
from autodc.gate.types import Look, SliceLook
from autodc.plan.plan import Plan
from autodc.review.result import result
from autodc.study.journal import events as ev
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State
from autodc.study.phases import comparing
from autodc.study.phases.polishing import as_trained
from autodc.study.phases.weighing import _block, _told, _weighed
from autodc.study.rules import standing

LONG = {"budget": {"trainings": 160}, "search": {"trials_per_round": 40, "lag": 3}}


def decided(state: State, purpose: str) -> list[Any]:
    return [t for t in state.comparisons if t.purpose == purpose and t.verdict is not None]


@pytest.fixture(scope="module")
def ended(world: Any) -> Any:
    """A study with trainings enough, at its end."""
    hand, rows = world(**LONG), []
    study = hand.open(rows)
    hand.finish(study)
    return hand, study, rows


@pytest.mark.slow
def test_the_whole_is_asked_first_on_all_rows_and_what_harms_leaves(ended: Any) -> None:
    _, study, _ = ended
    first = study.state.comparisons[0]
    assert (first.purpose, first.all_rows) == ("everything", True)
    assert set(first.members) == {"lamps", "wrong", "copies", "chance"}
    rest = [t for t in study.state.comparisons if t.purpose != "everything"]
    assert not any(t.all_rows for t in rest)
    content = result(study.state)
    assert "lamps" in content["kept"]
    assert not {"wrong", "chance"} & set(content["kept"])


@pytest.mark.slow
def test_what_is_kept_has_a_decision_of_its_own_or_is_in_a_kept_block(ended: Any) -> None:
    content = result(ended[1].state)
    keeps = [d for d in content["decisions"] if d["verdict"] == "keep"]
    alone = {d["subject"] for d in keeps if d["kind"] == "dataset"}
    blocks = {name for d in keeps if d["kind"] == "block" for name in d["members"]}
    assert set(content["kept"]) <= alone | blocks


@pytest.mark.slow
def test_a_round_begins_with_what_the_search_believes_and_the_obvious_plans(ended: Any) -> None:
    (first, *_) = ended[1].state.proposals
    assert set(first.plans) == {"incumbent", "tuned", "everything", "recommended"}
    assert set(first.plans["tuned"]["mixture"]) == {"base"}
    assert set(first.plans["everything"]["mixture"].values()) == {1.0}
    beliefs = first.proposal["beliefs"]
    assert beliefs["lamps"]["gain"] > 0 > beliefs["wrong"]["gain"]


@pytest.mark.slow
def test_the_budget_is_spent_and_what_is_left_tunes_what_is_kept(ended: Any) -> None:
    state = ended[1].state
    assert state.count("tuning") > 0
    mine = [t for t in state.trials if t.trial.phase == "tuning"]
    kept = {name for name, _ in mine[0].trial.plan.mixture}
    assert all({name for name, _ in t.trial.plan.mixture} == kept for t in mine)
    assert result(state)["spent"]["trainings"] > 150


@pytest.mark.slow
@pytest.mark.parametrize(("trainings", "seed"), [(9, 0), (16, 3)])
def test_nothing_takes_the_place_of_the_incumbent_that_nobody_trained(world: Any, trainings: int, seed: int) -> None:
    few = {"seed": seed, "budget": {"trainings": trainings}, "search": {"trials_per_round": 2}, "loop": {"rounds": 1}}
    hand = world(data__test=None, **few)
    study = hand.open([])
    hand.finish(study)
    content = result(study.state)
    assert set(content["validation"]["after"]) == set(content["validation"]["before"]) != set()


@pytest.mark.slow
def test_wholes_do_not_spend_what_comparisons_of_members_share(ended: Any) -> None:
    state = ended[1].state
    wholes = [t for t in state.comparisons if t.purpose == "everything"]
    assert all(t.share > 0 and not t.claims for t in wholes)
    assert state.risked == pytest.approx(sum(t.share for t in state.comparisons if t.claims))
    assert state.risked <= 0.1 + 1e-9


def seen(difference: float, role: str = "target", declared: bool = True) -> SliceLook:
    return SliceLook(
        role=role,
        difference=difference,
        low=None,
        high=None,
        rows=90,
        pairs=3,
        standard_error=0.001,
        df=9.0,
        z=1000 * difference,
        bound=2.0,
        declared=declared,
    )


def compared(
    purpose: Any, members: tuple[str, ...], verdict: str | None, codes: tuple[str, ...], own: SliceLook
) -> Any:
    weights = {"base": 1.0, **dict.fromkeys(members, 1.0)}
    found = Look(pairs=3, verdict=None, reasons=(), slices={"finding-F1": own}, objective=seen(0.0), alpha=0.02)
    return ComparisonState(
        id=0,
        round=1,
        subject="+".join(members),
        kind="bundle",
        purpose=purpose,
        challenger=Plan.of(weights, {}),
        incumbent=Plan.of({"base": 1.0}, {}),
        members=members,
        alpha=0.02,
        share=0.02,
        keeps=0,
        generation=0,
        looks=[found.to_dict()],
        verdict=verdict,
        reasons=codes,
    )


@pytest.fixture(scope="module")
def fresh(world: Any) -> Any:
    """The view of a study before its first training."""
    view = world(slices=[{"name": "dark", "where": "region = 'dark'", "role": "target", "margin": 0.01}]).open([]).view
    view.state.round = 1
    return view


@pytest.mark.parametrize(("recipes", "held"), [(["concat"], False), (["pretrain_finetune"], True)])
def test_what_is_kept_is_tuned_in_the_stages_it_was_trained_in(world: Any, recipes: list[str], held: bool) -> None:
    view = world(recipes=recipes).open([]).view
    staged = {"recipe": recipes[0], "pretrain": frozenset(view.incumbent.pretrain)}
    assert as_trained(view) == (staged if held else {})


@pytest.mark.parametrize(("rules", "anchors"), [(3, ["concat"]), (4, ["concat", "pretrain_finetune"])])
def test_a_study_of_before_is_opened_as_it_was(world: Any, rules: int, anchors: list[str]) -> None:
    study = world(recipes=["concat", "pretrain_finetune"], search__sampler="mixture").open([], rules=rules)
    engine = study._loop._tools.engine
    opened = [engine.suggest(number, [], []) for number in range(4)]
    assert [one.plan.recipe for one in opened if one.origin == "anchor"] == anchors


CURE = seen(0.05, FINDING)
LITTLE = Answer(mean=-0.001, sd=0.002)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("own", "answer", "taken"),
    [
        (CURE, LITTLE, True),
        (CURE, Answer(mean=-0.001, sd=0.002, misses=True), False),
        (CURE, Answer(mean=-0.02, sd=0.002), False),
        (CURE, Answer(mean=-0.001, sd=0.002, harmed=True), False),
        (seen(-0.001, FINDING), LITTLE, False),
        (seen(0.05, FINDING, declared=False), LITTLE, False),
    ],
)
def test_what_is_left_of_a_whole_that_cured_a_finding_cures_it_still(
    fresh: Any, own: SliceLook, answer: Answer, taken: bool
) -> None:
    fresh.state.comparisons[:] = [compared("everything", ("cure", "chance"), "keep", (reasons.KEPT_FINDING,), CURE)]
    verdict, codes = _block(fresh, compared("block", ("cure",), None, (), own), answer)
    assert verdict == ("keep" if taken else "undecided")
    assert codes == ((reasons.TOGETHER, reasons.KEPT_FINDING) if taken else (reasons.NOT_APART,))


@pytest.mark.slow
def test_what_is_kept_for_the_slice_of_a_finding_claims_nothing_of_the_objective(fresh: Any) -> None:
    whole = compared("everything", ("cure", "chance"), None, (), CURE)
    found = _told(fresh, comparing.ended(fresh, whole, "keep", (reasons.KEPT_FINDING,)), whole)
    assert found.reasons == (reasons.KEPT_FINDING,)
    assert _told(fresh, comparing.ended(fresh, whole, "keep", (reasons.KEPT,)), whole).reasons[0] == reasons.WHOLE


@pytest.mark.slow
def test_of_a_whole_whose_objective_was_shown_the_rest_must_be_ahead(fresh: Any) -> None:
    fresh.state.comparisons[:] = [compared("everything", ("cure", "chance"), "keep", (reasons.KEPT_OBJECTIVE,), CURE)]
    assert _block(fresh, compared("block", ("cure",), None, (), CURE), LITTLE)[0] == "undecided"


@pytest.mark.slow
@pytest.mark.parametrize("at", [0.2, 0.5, 0.7, 0.9])
def test_a_stop_anywhere_changes_nothing(ended: Any, at: float) -> None:
    hand, study, rows = ended
    cut = list(rows[: int(at * len(rows))])
    again = hand.open(cut)
    hand.finish(again)
    assert result(again.state)["decisions"] == result(study.state)["decisions"]
    assert result(again.state)["incumbent"] == result(study.state)["incumbent"]


@pytest.mark.slow
def test_the_order_in_which_trainings_end_changes_nothing(ended: Any) -> None:
    hand, study, _ = ended
    again = hand.open([])
    hand.finish(again, flight=3, order=np.random.default_rng(5))
    assert result(again.state)["decisions"] == result(study.state)["decisions"]


@pytest.mark.slow
def test_nothing_is_claimed_where_nothing_helps(world: Any) -> None:
    candidates = [{"name": n, "source": f"data/{n}.npz"} for n in ("copies", "chance")]
    hand = world(data__candidates=candidates, **LONG)
    study = hand.open([])
    hand.finish(study)
    content = result(study.state)
    assert content["kept"] == []
    assert content["incumbent"]["mixture"] == {"base": 1.0}


@pytest.mark.slow
def test_in_doubt_everything_stays_in_and_says_so(world: Any) -> None:
    few = {"budget": {"trainings": 60}, "search": {"trials_per_round": 20, "lag": 3}, "loop": {"rounds": 1}}
    candidates = [{"name": n, "source": f"data/{n}.npz"} for n in ("lamps", "copies")]
    gate = {"fdr": 1e-9, "in_doubt": "everything"}
    hand = world(data__candidates=candidates, gate=gate, **few)
    study = hand.open([])
    hand.finish(study)
    doubt = decided(study.state, "doubt")
    assert [t.reasons for t in doubt] == [(reasons.IN_DOUBT,)]
    block = decided(study.state, "block")[-1]
    assert reasons.IN_DOUBT in block.reasons
    strict = world(data__candidates=candidates, gate={"fdr": 1e-9}, **few)
    other = strict.open([])
    strict.finish(other)
    assert result(other.state)["kept"] == []


@pytest.mark.slow
def test_what_has_a_price_is_not_in_the_whole(world: Any) -> None:
    candidates = [{"name": n, "source": f"data/{n}.npz"} for n in ("copies", "chance")]
    candidates.append({"name": "lamps", "source": "data/lamps.npz", "cost": 5})
    hand = world(data__candidates=candidates, **LONG)
    study = hand.open([])
    hand.finish(study)
    wholes = [t for t in study.state.comparisons if t.purpose in ("everything", "together")]
    assert wholes
    assert not any("lamps" in t.members for t in wholes)
    assert not any("lamps" in t.challenger.mixture for t in wholes if t.round == 1)
    content = result(study.state)
    own = [d for d in content["decisions"] if d["subject"] == "lamps"]
    assert content["kept"] == ["lamps"]
    assert own[-1]["kind"] == "dataset"
    assert own[-1]["verdict"] == "keep"


@pytest.mark.parametrize(
    ("lost", "controls", "codes"),
    [
        (-0.0005, ("copies",), (reasons.NOT_MISSED,)),
        (-0.0015, ("copies",), (reasons.NOT_APART,)),
        (-0.0005, (), (reasons.NOT_APART,)),
        (0.0, ("copies",), (reasons.WORTHLESS, reasons.PRUNED)),
    ],
)
def test_rows_by_chance_that_are_not_missed_leave_undecided_and_that_is_a_decision_of_them(
    world: Any, scripted: Any, lost: float, controls: tuple[str, ...], codes: tuple[str, ...]
) -> None:
    hand = world(**LONG)
    study = hand.open([], engine=scripted(hand.open([]).view.start, {}))
    found = compared("pruning", ("copies",), None, (), CURE)
    found.looks[:] = [{**found.looks[0], "objective": asdict(seen(lost))}]
    p = Proposal(
        everything=("lamps", "copies"), recommended=(), beliefs={}, margins={}, matters=0.002, controls=controls
    )
    told = ev.TogetherProposed(round=1, horizon=0, plans={}, proposal=standing.to_json(p))
    assert standing.proposal_of(told.proposal) == p
    verdict = _weighed(study.view, study._loop._tools, found, told)
    assert (verdict.verdict, verdict.reasons) == ("drop" if len(codes) == 2 else "undecided", codes)
    found.verdict, found.reasons = verdict.verdict, verdict.reasons
    assert found.asks_only == (codes == (reasons.NOT_APART,))
