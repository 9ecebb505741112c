"""Reports, diagnostics and the reference, as text: only this room formats."""
