"""Finders of other libraries."""
