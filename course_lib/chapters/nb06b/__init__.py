"""Notebook 06b."""
