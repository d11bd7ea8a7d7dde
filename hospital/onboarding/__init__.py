"""The workbook a new hospital fills in, and its import (floor 10).

One declarative table per sheet (`sheets/`) says heading, field, kind and reference; reading,
checking, writing the empty workbook and importing are the same code for all of them. Everything
is saved by the actions of the areas that own it. Owns no tables.
"""
