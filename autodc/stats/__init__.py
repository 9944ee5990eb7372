"""The mathematics of the gate: variance over pairs and rows, sequential limits, ranks. No file, no clock, no state."""
