import os
import subprocess
import sys
from pathlib import Path

import penstock
from penstock.core import child


def test_a_child_imports_this_very_package_from_wherever_it_is_started(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    code = "import os, penstock; print(penstock.__file__, os.environ['PENSTOCK_X'], os.environ['PYTHONPATH'])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=tmp_path, env=child.environment(PENSTOCK_X="1")
    )
    place = Path(penstock.__file__).parent.parent
    assert done.stdout.split() == [penstock.__file__, "1", f"{place}{os.pathsep}{tmp_path}"]
