"""Notebook 11f."""
