"""Each family of models wired to its data and optimisers, a file a family; `training` holds what they share."""
