"""Attention in a training step: the products of the heads, and the layers around them."""
