"""Notebook 11b."""
