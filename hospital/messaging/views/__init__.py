"""Pages of the messaging area, one file per audience."""
