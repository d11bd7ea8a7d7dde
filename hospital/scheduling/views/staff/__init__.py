"""The outpatient office's pages of number sources (M2)."""
