"""Tests about the shape of the code: floors, doors, access marks, state machines, sizes."""
