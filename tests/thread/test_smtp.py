"""E-mails through a real SMTP server, with the real command: sent once, refused, uncertain, server away."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager

from tests.fakes.smtp import Post, server
from tests.thread.small import Small

FOLDER = '{type: folder, folder: outbox/, from: "Théâtre du Phare <bonjour@example.org>"}'


@contextmanager
def posting(small: Small, post: Post) -> Iterator[None]:
    with server(post) as port:
        smtp = f'{{type: smtp, host: 127.0.0.1, port: {port}, security: none, timeout: 2, limits: {{quiet_hours: none}}, from: "Théâtre du Phare <bonjour@example.org>"}}'
        small.change("config.yaml", FOLDER, smtp)
        small.run()
        small.filrouge("approve", "perdus-de-vue")
        yield


def test_it_arrives_once(small: Small) -> None:
    post = Post()
    with posting(small, post):
        assert small.run().facts["mail"]["sent"] == 1
        assert small.run().facts["mail"]["sent"] == 0
    assert post.recipients == ["jeanne.exemple@example.org"]
    message = email.message_from_bytes(post.arrived[0], policy=email.policy.default)
    assert message["Subject"] == "Cela fait longtemps, Jeanne"
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_body(("plain",))
    assert body is not None
    assert "Bonjour Jeanne," in body.get_content()


def test_a_lost_answer_is_uncertain_and_never_sent_again_by_itself(small: Small) -> None:
    post = Post(data=["take and drop"])
    with posting(small, post):
        assert small.run().facts["mail"]["uncertain"] == 1
        for _ in range(2):
            assert small.run().facts["mail"]["sent"] == 0
        assert len(post.arrived) == 1
        (mail,) = small.filrouge("outbox", "--state", "uncertain", "--json").facts["mails"]
        assert small.filrouge("outbox", "--release", mail["id"]).code == 0
        assert small.run().facts["mail"]["sent"] == 1
    assert len(post.arrived) == 2


def test_a_refusal_for_good_is_told_with_the_servers_words(small: Small) -> None:
    with posting(small, Post(rcpt=["550 5.1.1 no such user"])):
        assert small.run().facts["mail"]["failed"] == 1
        assert small.run().facts["mail"]["failed"] == 0
        (mail,) = small.filrouge("outbox", "--state", "failed", "--json").facts["mails"]
        assert mail["reason"] == "refused"


def test_a_server_that_is_away_leaves_the_rest_done_and_the_mail_waiting(small: Small) -> None:
    with posting(small, Post()):
        pass
    done = small.run()
    assert (done.code, done.facts["state"]) == (1, "partial")
    assert done.facts["cells"]["conflicts"] == 0
    assert "127.0.0.1" in " ".join(done.facts["notes"])
    (mail,) = small.filrouge("outbox", "--json").facts["mails"]
    assert mail["state"] == "approved"
