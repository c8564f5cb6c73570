"""The verdict, its labels and its words."""
