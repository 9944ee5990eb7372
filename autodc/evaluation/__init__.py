"""From predictions to scores: metrics, slices, the objective, and the evidence that a comparison reads."""
