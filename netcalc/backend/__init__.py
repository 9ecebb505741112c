"""Graph to Network: the same layers, run forward and backward on NumPy arrays."""
