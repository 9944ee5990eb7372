"""Contracts that every adapter owes, as pytest classes, and small real stand-ins that fulfil them."""
