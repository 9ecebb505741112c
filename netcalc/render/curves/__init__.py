"""Learning curves and searches for a learning rate, shown."""
