"""Proposing a month's roster for a department: who sits in which clinic when. Pure.

`problem` says what is asked, `score` judges any roster by it, `solve` looks for the best one and
`explain` says in words why there is none. Nothing here reads a table, a clock or a setting, and
only `model` imports the solver: the worker has `apart` run it in a process of its own, whose answer
is what `keeping` keeps.
"""
