"""The run, and everything that remembers."""
