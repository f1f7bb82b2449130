"""gspread's own tests on the fake of Google.

They are in none of gspread's packages: FILROUGE_GSPREAD names a folder with its source, at the version that is installed
(`git clone --branch v6.2.1 https://github.com/burnash/gspread`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real
ROOT = Path(__file__).parents[2]


def test_gspreads_own_tests_pass_on_the_fake(tmp_path: Path) -> None:
    source = os.environ.get("FILROUGE_GSPREAD")
    if not source:
        pytest.skip("Not run: set FILROUGE_GSPREAD to the folder with gspread's source.")
    theirs = tmp_path / "theirs"  # a package of ours is called `tests` too
    theirs.mkdir()
    for file in [Path(source, "tests", "__init__.py"), *Path(source, "tests").glob("*_test.py")]:
        # The mark asks for a recording, and stands on a fixture too, where pytest no longer has it.
        (theirs / file.name).write_text(file.read_text("utf-8").replace("@pytest.mark.vcr()", ""), "utf-8")
    shutil.copy(ROOT / "tests/real/gspread_conftest.py", theirs / "conftest.py")
    (tmp_path / "pytest.ini").write_text("[pytest]\npython_files = *_test.py\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "pytest.ini", "theirs"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    passed = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout[-3000:]
    assert passed is not None
    assert int(passed[1]) > 140
