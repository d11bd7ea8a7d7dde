"""The wire to WeChat: pay, Official Account, mini program, log-in. No models, no hospital nouns.

Floor 2. Pay is v3, the cashier's scan v2 or v3. Everything the wire can do comes back as a typed
outcome (frozen dataclasses), never as an exception: a caller matches on it. Areas hold the
conversation in their own `gateway`.
"""
