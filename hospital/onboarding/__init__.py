"""The hospital's master data: the workbook a new hospital fills in, and the pages that keep it.

One declarative table per sheet (`sheets/`) says heading, field, kind and reference; reading,
checking, writing the workbook, importing, and the lists, forms and histories of the pages are the
same code for all of them. Everything is saved by the actions of the areas that own it. Floor 10;
owns only the workbooks handed in on the page.
"""
