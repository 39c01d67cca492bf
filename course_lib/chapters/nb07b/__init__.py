"""Notebook 07b."""
