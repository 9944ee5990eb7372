"""Search, side by side with peers: `python -m benchmarks.search`."""
