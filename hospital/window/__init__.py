"""The registration window and the kiosk: one page from the patient to the printed slip (H3).

Floor 10. It owns the slips that were printed and combines what the floors below can do: patients
are found, numbers held, money taken, bookings collected. No rule of theirs is repeated here.
"""
