"""Notebook 09c."""
