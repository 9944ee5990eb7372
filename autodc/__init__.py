"""autodc: the training data as a searched variable."""
