"""Studies over many runs or several families."""
