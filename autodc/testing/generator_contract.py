"""What every generator owes, as a pytest class: subclass it with a fixture `generator`, and `base` for its inputs.

class TestMyRenderer(GeneratorContract):
    @pytest.fixture
    def generator(self) -> Any:
        return Renderer()

    @pytest.fixture
    def base(self) -> Base:
        return Base(x=images, y=labels, metadata=pd.DataFrame(index=range(len(images))), classes=(0, 1))
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodc.data.hashing import content_of
from autodc.propose.generator import Asked, Base, Batch
from autodc.propose.parameters import extremes

Array = np.ndarray[Any, Any]

ROWS = 12


class GeneratorContract:
    """Rows as the base has them, the same for the same arguments, others for other parameters."""

    @pytest.fixture
    def generator(self) -> Any:
        """The generator under test."""
        raise NotImplementedError

    @pytest.fixture
    def base(self) -> Base:
        """Some rows of a base, twenty at least."""
        raise NotImplementedError

    @pytest.fixture
    def asked(self, generator: Any, base: Base, tmp_path: Any) -> Asked:
        """The generator as a study asks it."""
        found = Asked(name="generator", generator=generator, base=base, out=tmp_path)
        found.fit()
        return found

    def test_it_makes_rows_as_the_base_has_them(self, asked: Asked) -> None:
        """Gives as many rows as it is asked for, of the base's shape, types, columns and labels, at either end."""
        for setting in extremes(asked.parameters):
            made = asked.rows(setting, np.arange(ROWS), 1)
            assert len(made.x) == len(made.y) == len(made.metadata) == ROWS
        none = asked.rows(extremes(asked.parameters)[0], np.arange(1), 1)
        assert len(none.x) == 1

    def test_the_same_arguments_make_the_same_rows(self, asked: Asked) -> None:
        """Draws all chance from the seed."""
        setting = extremes(asked.parameters)[1]
        first, again = (asked.rows(setting, np.arange(ROWS), 7) for _ in range(2))
        assert _content(first) == _content(again)

    def test_each_parameter_has_an_effect(self, asked: Asked) -> None:
        """Makes other rows for another value, whatever parameter is changed."""
        low, high = extremes(asked.parameters)
        still = {n: p.identity if p.identity is not None else high[n] for n, p in asked.parameters.items()}
        parents = np.arange(ROWS)
        for name in asked.parameters:
            one, other = {**high, name: low[name]}, high
            pairs = ((one, other), ({**still, name: low[name]}, {**still, name: high[name]}))
            differs = any(_content(asked.rows(a, parents, 3)) != _content(asked.rows(b, parents, 3)) for a, b in pairs)
            assert differs, f"{name} has no effect"

    def test_values_of_no_effect_change_nothing(self, asked: Asked, base: Base) -> None:
        """Leaves inputs as they are where every parameter is at its identity."""
        if not asked.transforms or any(one.identity is None for one in asked.parameters.values()):
            pytest.skip("it has parameters without a value of no effect")
        still = {name: one.identity for name, one in asked.parameters.items()}
        made = asked.rows(still, np.arange(ROWS), 5)
        assert _inputs(made.x) == _inputs(base.x[np.arange(ROWS)])

    def test_rows_it_is_given_are_left_alone(self, asked: Asked, base: Base) -> None:
        """Writes nothing into what it is given."""
        before = content_of(base.x[np.arange(len(base.y))])
        asked.rows(extremes(asked.parameters)[1], np.arange(len(base.y)), 5)
        assert content_of(base.x[np.arange(len(base.y))]) == before


def _content(made: Batch) -> tuple[Any, ...]:
    return _inputs(made.x), made.y.tolist(), made.metadata.to_json()


def _inputs(x: Any) -> str:
    from autodc.adapters.enrichers.image import file_pixels
    from autodc.table import PATH, Table

    if not isinstance(x, Table) or x.kind != "files":
        return content_of(x)
    found = [file_pixels(path) for path in x.column(PATH).to_pylist()]
    return repr([None if one is None else one[0].tobytes() for one in found])
