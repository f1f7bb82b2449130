"""Programs from npm that the real tests speak to, each in its exact version, installed once under `.cache/`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def installed(here: Path) -> Path:
    """The folder where what `package-lock.json` in `here` names is installed; a few seconds where it was not yet."""
    folder = (Path(os.environ.get("FILROUGE_CACHE") or ROOT / ".cache") / here.name).resolve()
    lock = (here / "package-lock.json").read_bytes()
    if not (folder / "package-lock.json").exists() or (folder / "package-lock.json").read_bytes() != lock:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(here / "package.json", folder)
        shutil.copy(here / "package-lock.json", folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            (folder / "package-lock.json").unlink()
            raise RuntimeError(f"{here.name} could not be installed:\n{done.stderr[-2000:]}")
    return folder
