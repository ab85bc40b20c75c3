"""Statistics of plain arrays: agreement, time to event, curves. They know no table and no hip."""
