"""Segments through the whole thread: a column of the sheet, who moved and when, in the report and for one person."""

from __future__ import annotations

from tests.thread.small import Small

RULES = """\
segments:
  - nom: Habitués
    quand: {visites: au moins 2, dernière visite: il y a moins de 12 mois}
  - nom: Perdus
    quand: {dernière visite: il y a plus de 12 mois}
  - nom: Assidus
    quand: {visites: {nombre: au moins 2, sur: 3 mois}}
règles:
  - nom: Perdus de vue
    quand: {segment: Perdus}
    alors: [{signaler: À relancer}]
"""
WHO = "jeanne.exemple@example.org"


def with_segments(small: Small) -> Small:
    small.write("rules/public.yaml", RULES)
    small.change("config.yaml", "Signaux: flags}", "Signaux: flags, Segment: segments}")
    assert small.filrouge("check").code == 0
    return small


def segment(small: Small, today: str) -> str:
    assert small.run(today=today).code == 0
    return str(small.row("Jeanne")["Segment"])


def test_the_column_follows_the_person(small: Small) -> None:
    with_segments(small)
    found = [segment(small, day) for day in ("2024-05-20", "2024-08-01", "2025-05-13", "2025-05-14")]
    assert found == ["Assidus, Habitués", "Habitués", "Perdus", "Perdus"]


def test_a_change_by_hand_is_put_back(small: Small) -> None:
    with_segments(small)
    segment(small, "2024-08-01")
    small.edit("Jeanne", "Segment", "VIP")
    assert segment(small, "2024-08-02") == "Habitués"


def test_who_moved_and_when(small: Small) -> None:
    with_segments(small)
    first = small.run(today="2024-08-01").facts
    assert first["segments"]["habitues"] == {"inside": 1, "entered": 1, "left": 0, "unknown": 0}
    said = small.filrouge("run", today="2025-05-13").said
    assert "Habitués → Perdus (1)" in said
    page = (small.folder / "report.html").read_text("utf-8")
    assert '<td>Habitués</td><td>Perdus</td><td class="n">1</td><td class="n">1</td>' in page
    small.run(today="2025-05-20")
    page = (small.folder / "report.html").read_text("utf-8")
    assert '<td>Habitués</td><td>Perdus</td><td class="n"></td><td class="n">1</td>' in page
    for command in (("explain", WHO), ("person", "show", WHO)):
        told = small.filrouge(*command).said
        assert "Perdus · depuis le 13 mai 2025\n  Habitués · du 1er août 2024 ou avant au 13 mai 2025" in told
    told = small.filrouge("--language", "en", "explain", WHO).said
    assert "Habitués · from August 1, 2024 or earlier to May 13, 2025" in told
    facts = small.filrouge("person", "show", WHO, "--json").facts["segments"]
    assert [(one["id"], one["run"], one["until_run"], one["or_earlier"]) for one in facts] == [
        ("perdus", 2, None, False), ("habitues", 1, 2, True),
    ]  # fmt: skip


def test_nobody_moved_when_the_team_drew_a_segment_anew(small: Small) -> None:
    with_segments(small)
    small.run(today="2024-08-01")
    small.change("rules/public.yaml", "{visites: au moins 2,", "{visites: au moins 4,")
    assert "Habitués →" not in small.filrouge("run", today="2024-08-02").said
    assert small.row("Jeanne")["Segment"] == ""


def test_why_a_cell_changed_names_the_segments(small: Small) -> None:
    with_segments(small)
    small.change("config.yaml", "  tab: Contacts", "  tab: Contacts\n  journal: Journal")
    small.run(today="2024-08-01")
    small.run(today="2025-05-13")
    lines = [row for row in small.rows("Journal") if "Segment" in row.values()]
    assert any("Perdus" in str(row) and "Habitués" in str(row) for row in lines), lines
