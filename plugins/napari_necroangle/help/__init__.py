"""Help: all keys on one sheet, and a short tour with a sample hip."""
