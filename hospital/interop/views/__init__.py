"""Views of interop: programs of partners (doors, reading, booking, tokens, about) and staff."""
