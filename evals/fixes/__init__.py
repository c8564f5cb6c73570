"""Patches measured: how many crashes get one that is verified, and what it binds beside the repaired twin."""
