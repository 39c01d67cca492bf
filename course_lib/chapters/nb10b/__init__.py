"""Notebook 10b."""
