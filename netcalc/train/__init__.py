"""Training: data, augmentation, losses, optimisers and schedules."""
