"""The scripts, one for each version, each following the one before it."""
