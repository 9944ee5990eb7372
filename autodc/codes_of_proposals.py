"""The codes of proposals and of what makes them; `autodc/codes.py` has all others."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.code import Code, several

PROPOSALS: Mapping[str, Code] = {
    # mended bases, rows drawn again, label maps
    "ADC-PROP-030": several("There is nothing to mend, or it cannot be told what: no dataset is made."),
    "ADC-PROP-031": several("A label map names classes that do not exist, or none that the dataset has."),
    "ADC-PROP-032": several("Rows that take another dataset's place do not say where each of them comes from."),
}
