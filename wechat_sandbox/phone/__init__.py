"""The patient's phone: WeChat as people see it, served at the stand-in's root page.

Screens are rendered here and moved by small ES modules; money and messages come from the same
tables the imitated interfaces write. A hospital page runs in a frame and speaks to the phone only
through `static/jweixin.js`.
"""
