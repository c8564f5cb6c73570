"""Notebook files: cells, the order they ran in, the names they read and bind."""
