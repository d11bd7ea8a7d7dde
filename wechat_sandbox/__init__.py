"""A local stand-in for Tencent's servers and for an SMS platform, with a phone.

WeChat Pay v3 and v2, the Official Account with its callbacks, the mini program's server calls. A
program of its own with its own state. It imports nothing from the hospital and the hospital
imports nothing from it: the two meet over HTTP only, as with the real WeChat.
"""
