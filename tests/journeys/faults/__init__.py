"""Every fault of the stand-in at every operation it can hit, and the one right end of each.

`table` is the truth: the tests run its rows, docs/generated/faults.md shows them.
"""
