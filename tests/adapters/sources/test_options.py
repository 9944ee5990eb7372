"""What the guide says of the options of sources."""

from __future__ import annotations

from autodc.adapters.sources import folder, idx, images, table
from autodc.adapters.sources.options import MEANINGS
from autodc.data.source import COMMON_OPTIONS


def test_every_option_of_a_source_has_a_meaning_and_no_other() -> None:
    known = {*COMMON_OPTIONS, *table.OPTIONS, *folder.OF_TABLES, *images.OPTIONS, *idx.OPTIONS, "split"}
    assert set(MEANINGS) == known
