"""`filrouge rules fix`: what can be mended safely in rule files and the heads of templates, shown as a difference and
written when it is accepted.
"""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.trouble import FixFile, TryLater
from rules.encoding import read_text
from rules.mending import mended
from rules.reader import read
from sync.desk import Desk, files_in
from sync.followup.pictures import ENDINGS as PICTURES
from sync.followup.templatefiles import action_mistakes, read_templates
from sync.followup.templatemend import mended_template
from sync.messages import say
from sync.outcome import Outcome

DONE, DECIDE = 0, 7
ENDINGS, TEMPLATE = (".yaml", ".yml"), ".md"
SHOWN = str.maketrans({"\t": "⇥", "\u00a0": "⍽", "\u202f": "⍽", "\r": ""})
ACCENTS_SHOWN = 5


@dataclass(frozen=True)
class _Fix:
    file: Path
    shown: str
    old: bytes
    new: bytes
    language: str

    def lines(self) -> list[str]:
        """The difference, tabs and no-break spaces made visible in what goes; and what no line shows."""
        old, new = (read_text(data, self.shown)[0] or "" for data in (self.old, self.new))
        told = difflib.unified_diff(old.splitlines(), new.splitlines(), self.shown, self.shown, n=1, lineterm="")
        lines = [line.translate(SHOWN) if line.startswith("-") else line for line in told]
        return [*self._saved(new), *lines]

    def _saved(self, text: str) -> list[str]:
        """How the file was saved, if it has to be saved anew."""
        try:
            self.old.decode("utf-8")
        except UnicodeDecodeError:
            accents = [f"  {n} | {line}" for n, line in enumerate(text.splitlines(), 1) if not line.isascii()]
            return [say(self.language, "fix-encoding", file=self.shown), *accents[:ACCENTS_SHOWN]]
        marked = self.old.startswith(b"\xef\xbb\xbf")
        return [say(self.language, "fix-mark", file=self.shown)] if marked else []


def fix_rules(
    file: Path | None, config: Path, spoken: str | None, usual: str, ask: Callable[[str], bool] | None, *, yes: bool
) -> Outcome:
    """Mend one file, or all of the rules folder and its templates. `ask` puts the question whether to write; None: there is nobody to ask,
    and exit 7 tells that somebody has to. Raises FixFile `fix-no-file`, TryLater `fix-changed`.
    """
    language, files = _files(file, config, spoken, usual)
    found = {shown: one.read_bytes() for shown, one in files.items()}
    fixes = [_Fix(files[shown], shown, old, _mended(shown, old, language), language) for shown, old in found.items()]
    fixes = [fix for fix in fixes if fix.old != fix.new]
    diffs = {fix.shown: fix.lines() for fix in fixes}
    said = [line for lines in diffs.values() for line in [*lines, ""]]
    question = say(language, "fix-ask", n=len(fixes))
    accepted = bool(fixes) and (yes or (ask is not None and ask("\n".join([*said, question]))))
    for fix in fixes if accepted else ():
        _write(fix)
    left = _left(found | {fix.shown: fix.new for fix in fixes}, files, language, alone=file is not None)
    facts: dict[str, Any] = {"files": {name: "\n".join(lines) for name, lines in diffs.items()}, "left": left}
    shown = said if yes or ask is None else []  # the question has shown them
    end = _end(language, len(fixes), left, accepted=accepted, asked=ask is not None)
    waits = bool(fixes) and not accepted and ask is None
    return Outcome([*shown, *end], {**facts, "written": accepted}, DECIDE if waits else DONE)


def _mended(shown: str, data: bytes, language: str) -> bytes:
    return mended_template(data, shown) if shown.endswith(TEMPLATE) else mended(data, language)


def _left(found: dict[str, bytes], files: dict[str, Path], language: str, *, alone: bool) -> int:
    """How many mistakes only a person can mend. A file alone may use segments of the others."""
    templates = {shown: data for shown, data in found.items() if shown.endswith(TEMPLATE)}
    rules = read({shown: data for shown, data in found.items() if shown not in templates}, language=language)
    pictures: dict[str, bytes] = {}
    for folder in {files[shown].parent for shown in templates}:
        pictures |= files_in(folder, *PICTURES)
    mistakes = [*rules.mistakes, *action_mistakes(rules.written, {}), *read_templates(templates, pictures)[1]]
    return sum(not (alone and mistake.code.startswith("unknown-segment")) for mistake in mistakes)


def _end(language: str, n: int, left: int, *, accepted: bool, asked: bool) -> list[str]:
    code = "fix-nothing" if not n else "fix-done" if accepted else "fix-declined" if asked else "fix-waits"
    said = [say(language, code, n=n)]
    return [*said, say(language, "fix-left", n=left)] if left else said


def _files(file: Path | None, config: Path, spoken: str | None, usual: str) -> tuple[str, dict[str, Path]]:
    """The language to speak, and the files by the name to show. One file needs no config."""
    if file is not None:
        if not file.is_file():
            raise FixFile("fix-no-file", file=str(file))
        return spoken or usual, {str(file): file}
    desk = Desk.open(config, spoken)
    try:
        rules = desk.config.rules_folder
        ours = {rules: ENDINGS, rules / "templates": (TEMPLATE,)}
        found = [folder / name for folder, ends in ours.items() if folder.is_dir() for name in files_in(folder, *ends)]
        return desk.language, {str(one): one for one in found}
    finally:
        desk.close()


def _write(fix: _Fix) -> None:
    """All of it or nothing; whoever saved the file since it was read keeps what they saved."""
    file = fix.file.resolve()
    fresh = file.with_name(f".{file.name}.new")
    mode = stat.S_IMODE(file.stat().st_mode)
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as handle:
            handle.write(fix.new)
            handle.flush()
            os.fsync(handle.fileno())
        fresh.chmod(mode)
        if file.read_bytes() != fix.old:
            raise TryLater("fix-changed", file=fix.shown)
        fresh.replace(file)
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()
