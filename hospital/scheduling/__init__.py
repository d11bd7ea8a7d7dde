"""Clinic sessions and their places (floor 7).

Owns weekly templates, schedules (one session of one doctor or department), their time bands and
slots, and when all of these become bookable. Knows people only as doctors, never patients.
"""
