"""What the search decides and what comes of it: plans, mixtures, trials and their outcomes."""
