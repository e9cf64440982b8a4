"""The tests that `make test` leaves out because they take long, and its laws and hunts with far more examples."""

import os
import time
from collections import Counter, defaultdict

import pytest

SIZES = {"PENSTOCK_HUNT": "20000", "CONTRACT_EXAMPLES": "100"}
CHOSEN = "deep or hunt or hypothesis"


class _Tally:
    """A plugin of pytest that counts results and seconds by file."""

    def __init__(self) -> None:
        self.results: dict[str, Counter[str]] = defaultdict(Counter)
        self.seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file = report.location[0]
        self.seconds[file] += report.duration
        if report.when == "call" or report.failed:
            self.results[file][report.outcome] += 1


def run() -> tuple[str, bool]:
    """A table of what was run, and whether all of it passed."""
    os.environ |= SIZES
    tally, began = _Tally(), time.monotonic()
    status = pytest.main(["--deep", "-m", CHOSEN, "-n", "auto", "--quiet", "tests"], plugins=[tally])
    lines = ["| tests of | passed | failed | seconds |", "| --- | --: | --: | --: |"]
    for file, counts in sorted(tally.results.items()):
        lines.append(f"| `{file}` | {counts['passed']} | {counts['failed']} | {tally.seconds[file]:.0f} |")
    print(f"{time.monotonic() - began:.0f} s")
    return "\n".join(lines) + "\n", status == pytest.ExitCode.OK
