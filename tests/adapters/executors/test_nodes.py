"""Nodes of a cluster that are lost: three on this machine, in namespaces, two with file-system roots of their own."""

from __future__ import annotations

from typing import Any

import pytest

from autodc.studyfile.study import MachineSpec
from benchmarks.night.nodes import why_not
from benchmarks.night.two_nodes import Night, night

pytestmark = [pytest.mark.slow(seconds=90), pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A study during which a node was killed and another froze."""
    if why := why_not():
        pytest.skip(why)
    return night(tmp_path_factory.mktemp("nodes"), MachineSpec().runner)


def test_no_trial_is_lost_with_its_node(lost: Any) -> None:
    assert lost.state.finished is not None
    assert {t.outcome.status for t in lost.state.trials} == {"done"}


@pytest.mark.parametrize("kind", ["killed", "frozen"])
def test_what_a_lost_node_trained_is_trained_elsewhere_with_its_number_and_seed(lost: Any, kind: Any) -> None:
    loss = getattr(lost, kind)
    assert (loss.again.number, loss.again.seed) == (loss.lost.number, loss.lost.seed)
    assert loss.again.host != loss.lost.host
    kept = lost.state.trials[loss.lost.number]
    assert kept.trial.seed == loss.lost.seed
    assert kept.outcome.attempts == loss.again.attempt + 1
