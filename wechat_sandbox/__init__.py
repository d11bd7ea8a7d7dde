"""A local stand-in for Tencent's servers: WeChat Pay v3, the Official Account and a phone.

A program of its own with its own state. It imports nothing from the hospital and the hospital
imports nothing from it: the two meet over HTTP only, as with the real WeChat.
"""
