"""The hospital: one folder per area, stacked in floors (see docs/map.md)."""
