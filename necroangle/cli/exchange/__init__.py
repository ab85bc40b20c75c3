"""Commands that give readings to other tools and take theirs."""
