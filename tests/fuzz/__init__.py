"""Broken bytes for everything that reads bytes of strangers: `make fuzz`."""
