"""Notebook 10c."""
