"""Telling people things, each message once, and hearing what they say to the account.

Nouns: Message with its Deliveries (SM17), CallTask, Consent, MessagePreference; InboundMessage,
MenuVersion, ReplyRule. Floor 6: anybody above tells a person with one down call, `actions.send`,
which writes the message and defers its own delivery in the caller's transaction (law 2).
"""
