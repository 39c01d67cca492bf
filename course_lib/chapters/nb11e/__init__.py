"""Notebook 11e."""
