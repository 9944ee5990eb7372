"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autodc.adapters.executors import shared_child


@pytest.fixture(scope="session", autouse=True)
def _one_child() -> Iterator[None]:
    """Inline runs of a test process train in one child: starting one takes as long as many of these tests."""
    with shared_child():
        yield
