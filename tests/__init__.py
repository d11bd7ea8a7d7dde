"""Tests that look at the whole: the shape of the code, whole journeys, real browsers."""
