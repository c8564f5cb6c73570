"""Connections to a kernel: started by us, and later attached or in-process."""
