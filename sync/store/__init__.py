"""What Fil rouge remembers."""

from sync.store.base import Store, Utc, metadata, org_column, upsert

__all__ = ["Store", "Utc", "metadata", "org_column", "upsert"]
