"""The roofline of a network."""
