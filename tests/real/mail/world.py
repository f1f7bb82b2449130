"""A small world of real mail on loopback: two Postfix and a Dovecot (Debian 12), in a folder of their own.

`out` is the organisation's server: submission with STARTTLS and a password, its own domain delivered to Dovecot, every
other domain sent to `remote`, which plays the other sites: each of its addresses has a fate. Nothing leaves loopback.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tests.fakes.smtp import certificate

NEEDED = {"postfix": "postfix", "dovecot": "dovecot-imapd dovecot-lmtpd"}
OURS, OTHERS = "example.org", "other.example.org"
MAILBOX, PASSWORD = f"bonjour@{OURS}", "the right one"
FATES = {
    "full": "552 5.2.2 Mailbox full",
    "blocked": "554 5.7.1 We do not want this sender",
    "grey": "450 4.7.1 Greylisted, try again later",
}
"""What `remote` says to these; it takes mail for `good`, and knows nobody else."""
DELAYED, GIVEN_UP = 4, 12  # seconds; days in real life
MAIN = Template("""\
compatibility_level = 3.6
queue_directory = $home/spool
data_directory = $home/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtp_host_lookup = native
lmtp_host_lookup = native
maillog_file = $home/log
maillog_file_prefixes = $home
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
multi_instance_name = postfix-$name
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject
virtual_mailbox_domains = $domain
virtual_mailbox_maps = texthash:$home/etc/mailboxes
virtual_transport = lmtp:unix:$root/run/lmtp
recipient_delimiter = +
""")
OUT = Template("""\
myhostname = mx.$domain
transport_maps = texthash:$home/etc/transport
default_transport = error:5.1.2 no such domain
smtpd_reject_unlisted_recipient = yes
smtpd_recipient_restrictions = check_recipient_access texthash:$home/etc/access, permit_sasl_authenticated, permit_mynetworks, reject
smtpd_tls_cert_file = $root/localhost.pem
smtpd_tls_key_file = $root/localhost.key
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_auth_enable = yes
smtpd_tls_auth_only = yes
delay_warning_time = ${delayed}s
minimal_backoff_time = 2s
maximal_backoff_time = 2s
queue_run_delay = 2s
maximal_queue_lifetime = ${given_up}s
bounce_queue_lifetime = ${given_up}s
""")
REMOTE = Template("""\
myhostname = mx.$domain
default_transport = error:5.1.2 no route
smtpd_recipient_restrictions = check_recipient_access texthash:$home/etc/access, permit_mynetworks, reject
""")
MASTER = Template("""\
127.0.0.1:$port inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 2 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
""")
DOVECOT = Template("""\
base_dir = $root/run/dovecot
state_dir = $root/run/dovecot-state
log_path = $root/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <$root/localhost.pem
ssl_key = <$root/localhost.key
auth_mechanisms = plain login
auth_username_format = %Lu
mail_location = maildir:$root/mail/%d/%n
mail_uid = $user
mail_gid = $user
first_valid_uid = 1
postmaster_address = postmaster@$domain
recipient_delimiter = +
passdb {
  driver = passwd-file
  args = scheme=PLAIN $root/users
}
userdb {
  driver = static
  args = uid=$user gid=$user home=$root/mail/%d/%n allow_all_users=yes
}
namespace inbox {
  inbox = yes
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = $imaps
    ssl = yes
  }
}
service lmtp {
  unix_listener $root/run/lmtp {
    mode = 0666
  }
}
service auth {
  unix_listener $root/out/spool/private/auth {
    mode = 0666
  }
}
""")


@dataclass(frozen=True)
class World:
    """Its ports, and the folder where mail lies. `certificate` is the authority to believe in."""

    root: Path
    smtp: int
    imaps: int

    @property
    def certificate(self) -> Path:
        return self.root / "localhost.pem"

    def mails(self, address: str) -> list[Path]:
        """What lies in a mailbox, oldest first; the name of a file tells its flags."""
        name, _, domain = address.partition("@")
        return sorted(file for new in ("new", "cur") for file in (self.root / "mail" / domain / name / new).glob("*"))


@contextmanager
def running() -> Iterator[World]:
    """Starts it in two seconds or so, and stops it at the end."""
    missing = [packages for program, packages in NEEDED.items() if not shutil.which(program)]
    if missing or os.geteuid():
        wanted = " ".join(missing or NEEDED.values())
        raise RuntimeError(
            f"Postfix and Dovecot are needed, and root: apt-get install --no-install-recommends {wanted}"
        )
    version = _run("dovecot", "--version")
    if not version.startswith("2.3."):
        raise RuntimeError(f"this configuration is for Dovecot 2.3 (Debian 12), and here is {version}")
    with tempfile.TemporaryDirectory(prefix="filrouge-mail-") as folder, ExitStack() as stack:
        root = Path(folder)
        root.chmod(0o755)  # the servers' own users go in
        world = World(root, _free(), _free())
        remote = _free()
        certificate(root)
        (root / "run").mkdir()
        (root / "mail").mkdir()
        user = pwd.getpwnam("mail")
        os.chown(root / "mail", user.pw_uid, user.pw_gid)
        _postfix(root, "out", OURS, world.smtp, OUT)
        _postfix(root, "remote", OTHERS, remote, REMOTE)
        _write(root / "out/etc/mailboxes", {MAILBOX: "ok"})
        _write(root / "out/etc/transport", {OTHERS: f"smtp:[127.0.0.1]:{remote}"})
        _write(root / "out/etc/access", {f"nobody@nowhere.{OURS}": "550 5.1.2 no such domain"})
        _write(root / "remote/etc/mailboxes", {f"{name}@{OTHERS}": "ok" for name in ("good", *FATES)})
        _write(root / "remote/etc/access", {f"{name}@{OTHERS}": fate for name, fate in FATES.items()})
        (root / "users").write_text(f"{MAILBOX}:{{PLAIN}}{PASSWORD}\n")
        names = {"root": root, "user": "mail", "domain": OURS, "imaps": world.imaps}
        (root / "dovecot.conf").write_text(DOVECOT.substitute(names))
        for name in ("out", "remote"):
            _run("postfix", "-c", str(root / name / "etc"), "start")
            stack.callback(_run, "postfix", "-c", str(root / name / "etc"), "stop")
        _run("dovecot", "-c", str(root / "dovecot.conf"))
        stack.callback(_run, "doveadm", "-c", str(root / "dovecot.conf"), "stop")
        yield world


def _postfix(root: Path, name: str, domain: str, port: int, more: Template) -> None:
    home = root / name
    for part in ("etc", "spool", "data"):
        (home / part).mkdir(parents=True)
    os.chown(home / "data", pwd.getpwnam("postfix").pw_uid, -1)
    facts = {"home": home, "root": root, "name": name, "domain": domain, "delayed": DELAYED, "given_up": GIVEN_UP}
    (home / "etc/main.cf").write_text(MAIN.substitute(facts) + more.substitute(facts))
    (home / "etc/master.cf").write_text(MASTER.substitute(port=port))


def _write(file: Path, table: dict[str, str]) -> None:
    file.write_text("".join(f"{key} {value}\n" for key, value in table.items()))


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _run(*command: str) -> str:
    # A file and not a pipe: the servers keep what they are given open for as long as they live.
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False, timeout=60)
        said.seek(0)
        words = said.read()
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {words}")
    return words
