"""The same databases as for the store."""

from __future__ import annotations

from tests.sync.store.conftest import cluster, fresh_store, shared_urls, store

__all__ = ["cluster", "fresh_store", "shared_urls", "store"]
