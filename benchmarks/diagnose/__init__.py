"""Diagnosis measured on planted failures: what was planted is known, so what is found can be held against it."""
