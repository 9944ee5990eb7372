"""Campaigns with known truth, on the rows of the user."""
