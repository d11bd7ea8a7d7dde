"""Tests of the window and the kiosk."""
