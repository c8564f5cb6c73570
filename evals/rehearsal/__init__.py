"""The rehearsal: how those of a run ended, and whether many leave anything behind."""
