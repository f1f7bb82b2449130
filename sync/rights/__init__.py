"""What the law gives a person: a copy of what is known about them, and its erasure."""
