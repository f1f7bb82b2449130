"""What an unsubscribe link holds: whom it means, for us alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.followup.consent import hashed
from sync.followup.tokens import PURPOSES, TOKEN, Meant, Seal

OURS, OTHERS = b"ours" * 8, b"theirs" * 8
SEAL = Seal([OURS])
ZOE = Meant(hashed("zoe@example.org"), "marketing", 7)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(st.emails(), st.sampled_from(PURPOSES), st.none() | st.integers(0, 2**40))
def test_what_is_sealed_is_read_again(address: str, purpose: str, person: int | None) -> None:
    meant = Meant(hashed(address), "service" if purpose == "service" else "marketing", person)
    token = SEAL.token(meant)
    assert TOKEN.fullmatch(token)
    assert SEAL.read(token) == meant
    assert SEAL.token(meant) == token


@given(st.integers(0, 67), st.sampled_from(LETTERS))
def test_no_letter_of_it_can_be_changed(place: int, letter: str) -> None:
    token = SEAL.token(ZOE)
    changed = token[:place] + letter + token[place + 1 :]
    assert SEAL.read(changed) == (ZOE if changed == token else None)


@given(st.text(max_size=80))
def test_anything_else_is_no_token(text: str) -> None:
    assert SEAL.read(text) is None


def test_cut_short_doubled_or_of_another_organisation_it_says_nothing() -> None:
    token = SEAL.token(ZOE)
    assert [SEAL.read(one) for one in (token[:-1], token + "A", token * 2, token + "\n", token.lower())] == [None] * 5
    assert Seal([OTHERS]).read(token) is None


def test_two_purposes_and_two_addresses_are_four_tokens_that_look_alike_nowhere() -> None:
    meant = [Meant(hashed(who), purpose) for who in ("zoe@example.org", "luc@example.org") for purpose in PURPOSES]
    tokens = [SEAL.token(one) for one in meant]
    for n, one in enumerate(tokens):
        for other in tokens[n + 1 :]:
            assert sum(a == b for a, b in zip(one, other, strict=True)) < 12


def test_a_link_of_before_the_person_was_in_it_is_believed() -> None:
    """From an e-mail of an earlier version, sealed with `OURS`."""
    token = "sELoxrNFtQ5wkh6GkPktJIZnNJkqHo2icKkGHy0J5TFctoiEZU2PaYrOOmeX"
    assert SEAL.read(token) == ZOE._replace(person=None)


def test_a_new_secret_leaves_the_old_links_alive() -> None:
    assert Seal([OTHERS, OURS]).read(SEAL.token(ZOE)) == ZOE
    assert Seal([OTHERS, OURS]).token(ZOE) != SEAL.token(ZOE)
    assert "ours" not in repr(SEAL)
