"""Source adapters: every kind of file, folder, function and URL that a study may name."""

from autodc.adapters.sources.dispatch import read_source

__all__ = ["read_source"]
