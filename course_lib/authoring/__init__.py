"""What is made of the notebook sources: the notebooks, what students get."""
