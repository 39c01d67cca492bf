"""Notebook 07d."""
