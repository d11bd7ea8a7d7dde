"""Pages of the patients area, one file per audience."""
