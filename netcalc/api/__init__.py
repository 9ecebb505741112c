"""The public functions, a file each: every one takes a model and returns what its command shows."""
