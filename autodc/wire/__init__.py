"""Study file → wired study: the one place that names adapters."""
