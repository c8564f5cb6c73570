"""The probes measured: what they cost, what they find, what they say about real notebooks."""
