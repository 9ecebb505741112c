"""Runs of a network: outputs, profiles, verification, and the plan of fast inference."""
