"""Carry out a Dockerfile in chroots: FROM a clean Debian with Python, COPY, RUN, ENV, USER, WORKDIR; then start its
command, ask its health check, end it with SIGTERM and look at how it ended.

Only what our Dockerfile uses is understood; any other instruction stops the script, so that nothing is skipped unseen.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = Path(os.environ.get("FILROUGE_CACHE", ROOT / ".cache")) / "container"
SUITE = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates"
# The base image's Python; Debian's is found under another path.
KNOWN = {
    "FROM",
    "WORKDIR",
    "COPY",
    "RUN",
    "ENV",
    "USER",
    "VOLUME",
    "EXPOSE",
    "HEALTHCHECK",
    "STOPSIGNAL",
    "ENTRYPOINT",
    "CMD",
}


def base() -> Path:
    """A clean Debian root, made once."""
    root = CACHE / "base"
    if not (root / "usr/bin/python3").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(root, ignore_errors=True)
        subprocess.run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root)], check=True)
    return root


def instructions(text: str) -> list[tuple[str, str]]:
    lines = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    found = [tuple(line.split(None, 1)) for line in lines.splitlines() if line.strip()]
    strange = {word for word, _ in found} - KNOWN
    if strange:
        sys.exit(f"the Dockerfile uses what this script does not know: {strange}")
    return [(word, rest) for word, rest in found]


class Stage:
    """One FROM: a root, and what was set so far."""

    def __init__(self, name: str) -> None:
        self.root = Path(tempfile.mkdtemp(prefix=f"filrouge-{name}-"))
        subprocess.run(["cp", "-a", f"{base()}/.", str(self.root)], check=True)
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        self.env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root"}
        self.workdir, self.user, self.command, self.health = "/", "root", [""], [""]
        self._lend_the_hosts_ways_out()

    def _lend_the_hosts_ways_out(self) -> None:
        """The host's certificates and pip settings, so that a closed network's registries are reached."""
        for name, value in os.environ.items():
            if name.startswith(("PIP_", "SSL_", "REQUESTS_CA")) or name.lower().endswith("_proxy"):
                self.env[name] = value
                if Path(value).is_file():
                    target = self.root / value.lstrip("/")
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(value, target)

    def argv(self, command: list[str]) -> list[str]:
        user = (
            ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"] if self.user != "root" else []
        )
        inside = f"cd {shlex.quote(self.workdir)} && exec {shlex.join(command)}"
        return ["chroot", str(self.root), *user, "/bin/sh", "-c", inside]

    def run(self, command: list[str]) -> None:
        print("  RUN", shlex.join(command)[:140], flush=True)
        subprocess.run(self.argv(command), check=True, env=self.env)

    def copy(self, rest: str, stages: dict[str, Stage]) -> None:
        words = shlex.split(rest)
        source = ROOT
        if words[0].startswith("--from="):
            source = stages[words.pop(0).removeprefix("--from=")].root
        *things, target = words
        into = self.root / str(Path(self.workdir) / target).lstrip("/")
        for thing in things:
            origin = source / thing.lstrip("/")
            if origin.is_dir():
                shutil.copytree(
                    origin, into, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                place = into / origin.name if target.endswith("/") else into
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(origin, place)

    def setting(self, word: str, rest: str) -> None:
        if word == "WORKDIR":
            self.workdir = rest
            (self.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif word == "ENV":
            for pair in shlex.split(rest):
                name, _, value = pair.partition("=")
                self.env[name] = value.replace(f"${name}", self.env.get(name, ""))
        elif word == "USER":
            self.user = rest
            self.env["HOME"] = f"/home/{rest}"
        elif word == "ENTRYPOINT":
            self.command = json.loads(rest)
        elif word == "CMD":
            self.command = [*self.command, *json.loads(rest)]
        elif word == "HEALTHCHECK":
            self.health = json.loads(rest[rest.index("CMD") + 3 :])


def build() -> Stage:
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for word, rest in instructions((ROOT / "Dockerfile").read_text("utf-8")):
        print(word, rest[:120], flush=True)
        if word == "FROM":
            name = rest.split(" AS ")[1] if " AS " in rest else "final"
            stage = stages[name] = Stage(name)
        elif stage is None:
            sys.exit("FROM comes first")
        elif word == "RUN":
            stage.run(["/bin/sh", "-c", rest])
        elif word == "COPY":
            stage.copy(rest, stages)
        else:
            stage.setting(word, rest)
    return stages["final"]


def try_out(stage: Stage) -> None:
    """Start it on a demo folder as the unprivileged user, ask its health, end it."""
    stage.run(["filrouge", "demo", "/data"])
    process = subprocess.Popen(stage.argv(stage.command), env=stage.env, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while subprocess.run(stage.argv(stage.health), env=stage.env, capture_output=True, check=False).returncode:
            if time.monotonic() > deadline or process.poll() is not None:
                sys.exit("the service did not become healthy")
            time.sleep(1)
        print("healthy", flush=True)
        os.kill(process.pid, signal.SIGTERM)
        code = process.wait(timeout=30)
        print("ended by SIGTERM with", code, flush=True)
        if code not in (0, -signal.SIGTERM):
            sys.exit(f"it did not end cleanly: {code}")
    finally:
        if process.poll() is None:
            process.kill()
    if (
        subprocess.run(
            stage.argv(["sh", "-c", "touch /usr/bin/x"]), env=stage.env, capture_output=True, check=False
        ).returncode
        == 0
    ):
        sys.exit("it runs as a user who may write to the system")


def main() -> None:
    began = time.monotonic()
    stage = build()
    try_out(stage)
    size = subprocess.run(
        ["du", "-sm", str(stage.root / "opt")], capture_output=True, text=True, check=True
    ).stdout.split()[0]
    print(f"The Dockerfile's steps work: {time.monotonic() - began:.0f} s, {size} MB of Fil rouge in the image.")


if __name__ == "__main__":
    main()
