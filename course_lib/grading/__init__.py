"""Marks for a class: what students handed in is read, run in a sandbox, and told in a table and on pages.

`submissions` finds the files, `extract` takes from each the function that an exercise asks for, `verdict` judges it in
a process of its own (`sandbox`), `grade` hands the work out and goes on where it was broken off, `report` writes.
"""
