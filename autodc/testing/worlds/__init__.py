"""Worlds with known truth: what every training, dataset and difference is worth is known beforehand."""
