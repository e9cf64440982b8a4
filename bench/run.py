"""``python bench/run.py`` is ``python -m bench``, from any folder."""

import runpy
import sys
from pathlib import Path

# This folder itself must not be on the path: its modules would hide those of the standard library (profile).
sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    runpy.run_module("bench", run_name="__main__", alter_sys=True)
