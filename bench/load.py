"""Load from wrk: as many calls as the target answers, over a fixed number of connections."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import payload
from bench.procs import BenchFault

CONNECTIONS = 16
MARK = "n=000000000"
SCRIPT = """
local bodies = {{
{bodies}
}}
local paths = {{ {paths} }}
local ready, unique = {{}}, {unique}
local turn = unique and os.time() % 900 * 1000000 or 0  -- no run of a quarter of an hour repeats another's calls
function init(args)
  local headers = {{ {headers} }}
  for at, body in ipairs(bodies) do ready[at] = wrk.format("POST", paths[at % #paths + 1], headers, body) end
end
function request()
  turn = turn + 1
  local call = ready[(turn - 1) % #ready + 1]
  if unique then call = call:gsub("{mark}", string.format("n=%09d", turn), 1) end
  return call
end
function done(summary, latency, requests)
  local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format("RESULT %d %d %d %d\\n", summary.requests, summary.duration, summary.errors.status, lost))
end
"""


@dataclass(frozen=True)
class Loaded:
    """What wrk saw: calls answered, of these with a status of 400 or more, connections lost, and in how long."""

    answered: int
    seconds: float
    refused: int
    lost: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds


def script(
    file: Path, paths: Sequence[str], bodies: list[bytes], extra: dict[str, str] | None = None, *, unique: bool = False
) -> Path:
    """Writes the wrk script that sends these bodies, in turn, to these paths, in turn.

    ``unique``: no two calls of a run are the same; the paths have ``MARK`` where a number is to stand.
    """
    texts = ",\n".join(f"[==[{body.decode()}]==]" for body in bodies)
    pairs = {**payload.HEADERS, **(extra or {})}
    headers = ", ".join(f'["{name}"] = [==[{value}]==]' for name, value in pairs.items())
    quoted = ", ".join(f'"{path}"' for path in paths)
    told = {"unique": str(unique).lower(), "mark": MARK}
    file.write_text(SCRIPT.format(bodies=texts, headers=headers, paths=quoted, **told))
    return file


def run(port: int, lua: Path, seconds: float, connections: int = CONNECTIONS) -> Loaded:
    """One run. Raises BenchFault when wrk is missing, fails, or gets no answer."""
    binary = shutil.which("wrk")
    if binary is None:
        raise BenchFault("wrk is not installed (Debian: wrk)")
    command = [binary, "-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}s", "--timeout", "10s"]
    command += ["-s", str(lua), f"http://127.0.0.1:{port}"]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds + 60)
    for line in result.stdout.splitlines():
        if line.startswith("RESULT "):
            answered, duration, refused, lost = map(int, line.split()[1:])
            if answered:
                return Loaded(answered, duration / 1e6, refused, lost)
    raise BenchFault(f"wrk got no answer: {(result.stdout + result.stderr).strip()[-300:]}")
