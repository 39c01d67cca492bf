"""Each family of models wired to its data and optimisers, a file a family; `training` holds what they share."""

from course_lib.deprecated import old_names

__getattr__ = old_names(__name__)
