"""A graph in a notebook: its layers with their options and what they read."""
