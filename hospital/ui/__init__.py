"""The page kit: base pages, components, tokens, filters and the gallery that shows them all.

It owns no data and knows no hospital noun beyond what a person reads on a screen (a day, an
amount, a masked name). Floor 2: everything above may use it, it uses only the kernel.
How to write a page with it: README.md beside this file.
"""
