"""The cases by name, built from the packages that bring their data."""

from benchmarks.real.cases.catalogue import CASES as CASES
from benchmarks.real.cases.catalogue import case as case
