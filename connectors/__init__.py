"""The outside world: one file a service. Knows no rule and no store."""
