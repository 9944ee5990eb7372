"""Decisions that several phases share, as functions of the view."""
