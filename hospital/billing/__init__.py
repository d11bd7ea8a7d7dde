"""Charges, bills and the ledger (floor 7).

Owns what a patient is charged for, the bills that ask for it, and append-only postings that say
where the money stands. Speaks no payment channel: payments tells it what arrived and what left.
"""
