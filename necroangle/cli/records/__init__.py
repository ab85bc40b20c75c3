"""Commands about the study's table: made, filled, changed, printed, verified, exported."""
