"""The kill test: a whole hospital under SIGKILL, faults and impatient thumbs, and then its books.

`make chaos` runs it; docs/chaos.md tells what it does and what it looks at afterwards.
"""
