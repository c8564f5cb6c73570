"""The checker alone, cell by cell: what it says just before a cell runs, held against what the cell then does."""
