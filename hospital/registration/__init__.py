"""Appointments: a patient holds a number, pays for it, comes or gives it back (floor 8).

Owns the Appointment with its lifecycle, and the rules of who may book what and cancel when.
"""
