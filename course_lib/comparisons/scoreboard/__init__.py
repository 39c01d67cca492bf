"""One scoreboard: every family of the course on the same pictures, with the same measures, after the same time.

`pictures` are the data sets, `family` is what is asked of each, `registry` says which there are, `measures` what is
measured and on how much, `record` runs them all, and makes tables and ranks of what they gave.
"""
