"""Floor 1. Money, time, states, events: everything that knows no hospital noun.

Nouns: Actor, Refusal, Period, Transition, AuditEntry, RequestKey, Setting, Permission.
"""
