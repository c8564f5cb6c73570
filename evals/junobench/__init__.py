"""JunoBench: crashes of public notebooks, each with a repaired twin."""
