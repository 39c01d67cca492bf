"""Notebook 07c."""
