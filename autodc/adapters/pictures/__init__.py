"""Pictures as arrays: of any format, size and mode, one by one or many in parallel; for sources and trainers."""
