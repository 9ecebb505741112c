"""The per-layer table and what it is made of, in every format."""
