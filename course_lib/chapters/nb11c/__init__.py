"""Notebook 11c."""
