"""The exercises of each notebook: `nbNN.EXERCISES`, by name."""
