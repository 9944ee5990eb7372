"""Where a model fails and why: a view of explore rows in, findings out. Pure: no file, no training, no clock."""
