"""Writes a training set out for other programs: its rows, where each of them comes from, and what describes them."""

from autodc.adapters.export.croissant import described
from autodc.adapters.export.layouts import Layout, written
from autodc.adapters.export.parts import Part

__all__ = ["Layout", "Part", "described", "written"]
