"""Money through outside channels: payments, refunds, the raw notices, and what staff must look at.

Floor 8. Nouns: Payment (SM10), Refund (SM11), Notice, PaymentCase. A channel's word about a payment
enters through one door, `actions.results`, whether it came as a notice or as an answer.
"""
