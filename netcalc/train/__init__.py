"""Training a network: losses, optimisers, schedules, and what goes with them, a file each."""
