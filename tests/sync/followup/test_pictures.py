"""Pictures beside the templates travel inside the e-mails that show them."""

from __future__ import annotations

import zlib
from email import message_from_bytes, policy
from email.message import EmailMessage
from struct import pack

import pytest

from connectors.mail.wire import to_bytes
from sync.followup.compose import compose, page
from sync.followup.consent import Right
from sync.followup.templatefiles import read_templates
from sync.followup.templates import Templates
from tests.sync.followup.theatre import HOUSE, NOW, person
from tests.thread.small import Small

TEXT = """---
objet: La saison
---
Bonjour.

![L'affiche : un phare la nuit]({})

Dans le texte aussi : ![une étoile](étoile%20rouge.gif) oui.
"""
GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\x00\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)


def png(wide: int = 600, high: int = 200, noise: bytes = b"") -> bytes:
    """Red."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + b"\xb9\x3a\x26" * wide) * high
    head = pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"tEXt", noise), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


FILES = {"affiche.png": png(), "étoile rouge.gif": GIF, "other.png": png(10)}


def templates(address: str = "affiche.png", files: dict[str, bytes] | None = FILES) -> tuple[Templates, list[str]]:
    found, mistakes = read_templates({"saison.fr.md": TEXT.format(address).encode()}, files)
    return found, [one.code for one in mistakes]


def letter() -> EmailMessage:
    template = templates()[0].choose("saison", "fr", "fr")
    assert template is not None
    mark = "<1@phare.example>"
    sent = compose(person(1), template, HOUSE, NOW, message_id=mark, right=Right(basis="consent"))
    return message_from_bytes(to_bytes(sent), policy=policy.default)


def test_they_stand_behind_the_html_that_names_them_and_no_others() -> None:
    text, whole = letter().iter_parts()
    assert (text.get_content_type(), whole.get_content_type()) == ("text/plain", "multipart/related")
    html, *pictures = whole.iter_parts()
    assert [one.get_content_type() for one in pictures] == ["image/png", "image/gif"]
    assert [one.get_content() for one in pictures] == [FILES["affiche.png"], GIF]
    for one in pictures:
        assert f'src="cid:{one["Content-ID"].strip("<>")}"' in html.get_content()
        assert one.get_content_disposition() == "inline"
    assert "affiche.png" not in html.get_content()
    assert "[L'affiche : un phare la nuit]" in text.get_content().replace("\u2019", "'").replace("\u00a0", " ")


def test_a_preview_shows_them() -> None:
    shown = page(letter())
    assert shown.count('src="data:image/') == 2
    assert "cid:" not in shown


def test_without_pictures_an_e_mail_is_as_before() -> None:
    found, _ = read_templates({"a.fr.md": b"---\nobjet: x\n---\nBonjour.\n"}, FILES)
    template = found.choose("a", "fr", "fr")
    assert template is not None
    sent = compose(person(1), template, HOUSE, NOW, message_id="<1@x.example>", right=Right())
    assert [part.get_content_type() for part in sent.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("affiche.png", []),
        ("./affiche.png", []),
        ("afiche.png", ["template-image-missing"]),
        ("../affiche.png", ["template-image-relative"]),
        ("/affiche.png", ["template-image-relative"]),
        ("heavy.png", ["template-image-heavy"]),
        ("logo.svg", ["template-image-kind"]),
        ("text.png", ["template-image-kind"]),
    ],
)
def test_one_that_nobody_would_see_is_a_mistake(address: str, code: list[str]) -> None:
    more = {"heavy.png": png(noise=b"x" * 500_000), "logo.svg": b"<svg/>", "text.png": b"hello"}
    assert templates(address, FILES | more)[1] == code


def test_what_carries_none_is_told() -> None:
    assert templates("affiche.png", None)[1] == ["template-image-carrier"] * 2


def test_another_picture_is_another_e_mail_to_approve() -> None:
    one, other = (templates(files=FILES | {"affiche.png": data})[0] for data in (png(), png(601)))
    assert one.fingerprint(["saison"]) != other.fingerprint(["saison"])
    same = templates(files=FILES | {"other.png": png(11)})[0]
    assert one.fingerprint(["saison"]) == same.fingerprint(["saison"])


def test_from_the_folder_of_templates_to_the_reader(small: Small) -> None:
    (small.folder / "rules" / "templates" / "affiche.png").write_bytes(png())
    small.change("rules/templates/on-se-revoit.md", "revenez nous voir.", "![L'affiche](affiche.png)")
    assert small.filrouge("check", "--json").facts["mistakes"] == []
    small.run()
    small.filrouge("approve", "perdus-de-vue")
    small.run()
    (name,) = small.mails()
    sent = message_from_bytes((small.folder / "outbox" / name).read_bytes(), policy=policy.default)
    assert [part.get_content_type() for part in sent.walk()][-1] == "image/png"
    small.change("rules/templates/on-se-revoit.md", "L'affiche", "")
    (advice,) = small.filrouge("check", "--json").facts["advice"]
    assert "L'image n'a pas de mots" in advice["message"]
    small.change("config.yaml", "type: folder, folder: outbox/", 'type: brevo, key: "${K}"')
    mistakes = small.filrouge("check", "--json", K="xkeysib-0").facts["mistakes"]
    assert any("n'emporte pas d'images dans un courriel" in one["message"] for one in mistakes)


def test_a_logo_may_be_a_file_beside_the_config(small: Small) -> None:
    small.change("config.yaml", "country: CA,", "country: CA, logo: notre logo.png,")
    (mistake,) = small.filrouge("check", "--json").facts["mistakes"]
    assert "Il n'y a pas de fichier `notre logo.png`" in mistake["message"]
    (small.folder / "notre logo.png").write_bytes(png(160, 40))
    small.change("config.yaml", "rules: rules/", "rules: rules/\nstaff: {email: [equipe@example.org]}")
    assert small.filrouge("check", "--json").facts["mistakes"] == []
    small.run()
    small.filrouge("approve", "perdus-de-vue")
    small.run()
    for name in small.mails():  # to the public and to the team
        sent = message_from_bytes((small.folder / "outbox" / name).read_bytes(), policy=policy.default)
        *_, html, logo = sent.walk()
        assert logo.get_content() == png(160, 40)
        assert f'src="cid:{logo["Content-ID"].strip("<>")}" ' in html.get_content()
    assert len(small.mails()) >= 2
    (small.folder / "notre logo.png").write_bytes(b"<svg/>")
    (mistake,) = small.filrouge("check", "--json").facts["mistakes"]
    assert "enregistrez-la en JPEG ou en PNG" in mistake["message"]
