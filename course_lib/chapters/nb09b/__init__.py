"""Notebook 09b."""
