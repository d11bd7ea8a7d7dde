"""The wire to WeChat: pay v3, Official Account, OAuth, JS-SDK. No models, no hospital nouns.

Floor 2. Everything the wire can do comes back as a typed outcome (frozen dataclasses), never as an
exception: a caller matches on it. Areas hold the conversation in their own `gateway.py`.
"""
