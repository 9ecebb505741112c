"""What training and inference need in memory."""
