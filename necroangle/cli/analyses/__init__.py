"""Commands that print what a study shows."""
