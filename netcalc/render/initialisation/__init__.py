"""What an initialisation does to activations and gradients, shown."""
