"""The codes of proposals: what hinders the making of data."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.code import Code, several

PROPOSALS: Mapping[str, Code] = {
    # generate
    "ADC-PROP-010": several("A generator cannot be loaded, or there is none of that name."),
    "ADC-PROP-011": several("What is named as a generator is none."),
    "ADC-PROP-012": several("What a generator declares as its parameters is no mapping as in a search space."),
    "ADC-PROP-013": several("A generator has no such parameter, or not such a value of it."),
    "ADC-PROP-014": several("The options of a generator do not fit."),
    "ADC-PROP-015": several("A generator fails."),
    "ADC-PROP-016": several("A generator gives something else than inputs, targets and metadata."),
    "ADC-PROP-017": Code("A generator gives another number of rows than was asked for."),
    "ADC-PROP-018": several("A generator gives inputs of another shape, type or other columns than the base has."),
    "ADC-PROP-019": several("A generator gives inputs that are NaN or infinite where the base has none."),
    "ADC-PROP-020": several("A generator gives labels that the base does not have."),
    "ADC-PROP-021": Code("A generator ignores its parameters: it gives the same rows for settings far apart."),
    "ADC-PROP-022": several("A generator cannot make inputs of the kind of the base."),
    "ADC-PROP-023": Code("The library that a generator needs is not installed."),
    "ADC-PROP-024": Code("No setting of a generator meets the finding."),
}
