"""Telling people things: each message once, through WeChat and in the in-app inbox.

Noun: Message. Floor 6: anybody above tells a person with one down call, `actions.send`, which
writes the message and defers its own delivery in the caller's transaction (law 2).
"""
