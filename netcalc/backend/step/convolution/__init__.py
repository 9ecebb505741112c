"""The convolution: its operation, and the columns by which it multiplies."""
