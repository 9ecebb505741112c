"""The algorithms that convolutions are computed by, one a file, and the rule that chooses."""
