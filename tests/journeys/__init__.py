"""Whole walks through pages, jobs and the stand-in for WeChat, each ending with books that balance.

A journey touches the product where people and Tencent do: pages over HTTP, signed notices, the
jobs of the worker. It looks at rows only to say what must have become of them.
"""
