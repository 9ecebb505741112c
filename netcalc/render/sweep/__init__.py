"""The rows of a sweep."""
