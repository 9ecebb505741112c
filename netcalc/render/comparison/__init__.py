"""Networks side by side, and what differs between two."""
