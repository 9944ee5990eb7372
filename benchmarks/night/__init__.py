"""How well a night uses its machine, beside the usual wiring by hand: `python -m benchmarks.night`."""
