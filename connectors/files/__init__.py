"""Export files: reading any table, understanding its columns, and what its lines mean. The source is `sources/files.py`."""
