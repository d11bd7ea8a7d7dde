"""Floor 12. Settings, addresses and the wiring of areas; knows everybody, known by nobody."""
