"""`python -m sync.store.migrations "what changes"`: write the next revision from the difference to the tables."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from sync.store.base import connect
from sync.store.upgrade import MIGRATIONS, head, tables


def write(what: str) -> Path | None:
    """The file of the next revision; None when the tables are as the newest revision leaves them."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    tables()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    number = f"{int(head() or 0) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{folder}/empty.db")
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            made = command.revision(
                config, message=what, autogenerate=True, rev_id=number, process_revision_directives=_drop_empty
            )
        engine.dispose()
    file = Path(ScriptDirectory(str(MIGRATIONS)).get_revision(number).path) if made else None
    if file is not None:
        written = file.read_text("utf-8").replace("sync.store.base.Utc()", "sa.BigInteger()")
        # SQLite's words for a default of yes or no would not do for PostgreSQL.
        written = re.sub(
            r"sa\.Boolean\(\), server_default=sa\.text\('0'\)", "sa.Boolean(), server_default=sa.false()", written
        )
        written = re.sub(
            r"sa\.Boolean\(\), server_default=sa\.text\('1'\)", "sa.Boolean(), server_default=sa.true()", written
        )
        file.write_text(written, "utf-8")
    return file


def _drop_empty(_context: object, _revision: object, directives: list) -> None:  # type: ignore[type-arg]
    if directives[0].upgrade_ops.is_empty():
        directives.clear()


if __name__ == "__main__":
    print(write(" ".join(sys.argv[1:]) or "change") or "nothing to write")  # noqa: T201  it is a command
