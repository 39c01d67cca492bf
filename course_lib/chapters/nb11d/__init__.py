"""Notebook 11d."""
