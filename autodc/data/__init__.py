"""Rows and what is known of them: sources, datasets, splits, overlap, and what a candidate must pass to be admitted."""
