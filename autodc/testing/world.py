"""Where the world of cells once was: study files of before name its trainer by this path."""

from autodc.testing.worlds.cells import CANDIDATES, CellTrainer, rows, write_world

__all__ = ["CANDIDATES", "CellTrainer", "rows", "write_world"]
