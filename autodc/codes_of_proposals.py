"""The codes of what is made, where its rows come from, and of what is written out of a run; see `autodc/codes.py`."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.code import Code, several

PROPOSALS: Mapping[str, Code] = {
    # lineage and export
    "ADC-PROP-060": Code("The folder of an export exists."),
    "ADC-PROP-061": Code("A source of a run is another than it trained on."),
    "ADC-PROP-062": Code("A dataset has no such row."),
    "ADC-PROP-063": several("A dataset was made of rows that are held out."),
    "ADC-PROP-064": several("The origin of made rows does not fit: its datasets, rows or number."),
    "ADC-PROP-065": Code("The journal does not say where the study file lies."),
    "ADC-PROP-066": Code("Inputs or targets are called as a column of lineage."),
}
