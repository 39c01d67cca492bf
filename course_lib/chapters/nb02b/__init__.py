"""Notebook 02b."""
