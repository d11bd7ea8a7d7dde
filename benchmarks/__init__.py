"""Measured claims, each beside the physical limit in the same run (see docs/benchmarks.md)."""
