"""Real cases: natural sources from packages, what a night of the product makes of them, and what its peers do."""
