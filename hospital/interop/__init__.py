"""The interface outside platforms book through: partners, their keys and quotas, FHIR R4 over HTTP.

Floor 10. Partners sell numbers of the patients' own online share (M2.2); what may be booked and
cancelled, registration decides. Nouns: Partner, PartnerSecret, AccessToken, PartnerBooking,
PartnerCall. `fhir` says in FHIR what the floors below say in rows, and describes itself.
"""
