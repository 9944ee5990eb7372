"""The study as a fold of its journal: what to train next, what came of it, and the loop that drives both."""
