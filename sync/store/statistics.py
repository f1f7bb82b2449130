"""What PostgreSQL knows of its own tables, after a load.

SQLite is told once and for all (`upgrade`): what it would count itself in the middle of a first load (no sighting has a
person yet) makes it go through all sightings for each person, hours instead of seconds.
"""

from __future__ import annotations

from sync.store.base import Store

MANY = 500


def look_over(store: Store, changed: int) -> None:
    """Let the database count its tables anew when many rows changed."""
    if changed < MANY or store.engine.dialect.name == "sqlite":
        return
    with store.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
