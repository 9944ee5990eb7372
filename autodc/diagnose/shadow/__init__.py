"""Which rows of production a model fails on, without their targets: learnt on validation, looked for in a stream."""
