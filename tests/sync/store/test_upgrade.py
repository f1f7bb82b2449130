"""Tables are brought up to date when the program starts, and never by a program that does not know them."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.engine.interfaces import ReflectedIndex

from connectors.trouble import FixFile
from sync.messages import say
from sync.store import Store
from sync.store.base import connect
from sync.store.upgrade import MIGRATIONS, head, tables, upgrade
from tests.sync.store.databases import NOW


def migrate(engine: sa.Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def options(index: ReflectedIndex) -> dict[str, str]:
    return {name: str(value) for name, value in index.get("dialect_options", {}).items()}


def shape(engine: sa.Engine) -> dict[str, tuple[list[str], list[str]]]:
    look = sa.inspect(engine)
    return {
        name: (
            sorted(f"{one['name']} {one['type']} {one['nullable']} {one['default']}" for one in look.get_columns(name)),
            sorted(
                f"{one['name']} {one['column_names']} {one['unique']} {options(one)}" for one in look.get_indexes(name)
            ),
        )
        for name in look.get_table_names()
    }


def test_the_revisions_lead_to_the_tables_of_the_program(empty_url: str) -> None:
    engine = connect(empty_url)
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables()) == [], 'write the revision: python -m sync.store.migrations "what"'
    migrated = shape(engine)
    tables().drop_all(engine)
    tables().create_all(engine)
    assert shape(engine) == migrated
    engine.dispose()


def test_a_new_database_is_made_at_head_and_opened_again_without_a_word(
    empty_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.DEBUG, "alembic"):
        first = Store.open(empty_url, "phare", NOW)
        first.close()
        monkeypatch.setattr("sync.store.upgrade._upgrade", pytest.fail)
        again = Store.open(empty_url, "phare", NOW)
    assert again.org == first.org
    again.close()
    assert not [one for one in caplog.records if one.levelno >= logging.INFO]


def test_a_database_without_our_tables_goes_through_the_revisions(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = connect(empty_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0000')")
    monkeypatch.setattr(
        "sync.store.upgrade._migrate", lambda connection: connection.exec_driver_sql("CREATE TABLE went (n INTEGER)")
    )
    upgrade(engine)
    assert sa.inspect(engine).has_table("went")
    engine.dispose()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_database_of_a_newer_program_is_left_alone(empty_url: str, language: str) -> None:
    Store.open(empty_url, "phare", NOW).close()
    engine = connect(empty_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(FixFile) as refused:
        Store.open(empty_url, "phare", NOW)
    assert refused.value.code == "store-newer"
    assert "9999" in say(language, refused.value.code, **refused.value.facts)
    engine.dispose()


def test_a_place_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(FixFile) as refused:
        Store.open(f"sqlite:///{tmp_path}/nowhere/store.db", "phare", NOW)
    assert refused.value.code == "store-not-found"
    assert "nowhere" in say("fr", refused.value.code, **refused.value.facts)


def test_two_programs_that_start_at_once_make_one_organisation(empty_url: str) -> None:
    found: list[int] = []

    def start() -> None:
        store = Store.open(empty_url, "phare", NOW)
        found.append(store.org)
        store.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_reader_does_not_wait_for_a_writer(store: Store) -> None:
    with store.begin() as writing, store.look() as reading:
        writing.exec_driver_sql("UPDATE organisation SET slug = slug")
        assert reading.exec_driver_sql("SELECT count(*) FROM organisation").scalar_one() >= 1


def test_revisions_are_numbered() -> None:
    assert head() is not None
    assert str(head()).isdigit()
