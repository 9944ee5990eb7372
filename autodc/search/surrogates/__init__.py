"""Models of the objective over the cube, and the choice among them by evidence."""
