"""The references: layers, design rules, the spec's JSON Schema, devices, bundled architectures."""
