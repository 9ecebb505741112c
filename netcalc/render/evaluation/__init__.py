"""How well a network does, and what it predicts, shown."""
