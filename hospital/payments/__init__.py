"""Money through outside channels: payments, refunds, the raw notices, and what staff must look at.

Floor 8. Nouns: Payment (SM10) with its Allocations to bills, RefundRequest and Refund (SM11),
Notice, PaymentCase with the CaseDecision or OfflineTransfer two persons agree on, PayCode (a QR
code of ours), ChannelStatement. A channel's word about a payment enters through one door,
`actions.results`; a notice that disagrees with us only makes us ask, the answer is the truth.
"""
