"""Pages of the identity area, one file per audience."""
