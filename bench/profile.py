"""Where the processes spend their time under load, by sampling from outside: ``python -m bench.profile``.

Needs py-spy (``pip install py-spy``) and the right to read another process, which the parent or root has.
"""

import argparse
import math
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

from bench import load, payload, policy, streaming, streams, targets
from bench.machine import Quiet
from bench.procs import BenchFault, Server, family
from bench.session import Session

WARM_UP = 2  # seconds
OUTER = 0.9  # frames on nearly every stack are the way in, and say nothing
STREAMS = "streams"
POLICY = {"miss": policy.path("fixed", unique=True), "hit": policy.path("cached")}  # everything on, as in its table
SHAPES = {"on": targets.LOGGED, "off": targets.UNLOGGED, "refused": targets.UNKNOWN, **POLICY}


def options(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument(
        "--calls",
        choices=[*SHAPES, STREAMS],
        default="on",
        help="log on, log off, unknown gateway, everything on and a cache miss, a cache hit, paced streams",
    )
    parser.add_argument("--process", choices=("serving", "writer", "bare"), default="serving")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rate", type=int, default=400, help="samples a second")
    parser.add_argument("--native", action="store_true", help="C frames too: slower, shows uvloop, httptools and calls")
    parser.add_argument("--lines", action="store_true", help="by line instead of by function")
    parser.add_argument("--top", type=int, default=45)
    parser.add_argument("--raw", type=Path, help="also keep the folded stacks here, for a flame graph")
    return parser.parse_args(arguments)


def shares(stacks: Iterable[str]) -> tuple[int, Counter[str], Counter[str]]:
    """From folded stacks (``a;b;c count``): samples in all, by the innermost frame, and by every frame on the stack."""
    total = 0
    own: Counter[str] = Counter()
    under: Counter[str] = Counter()
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        total += int(count)
        own[frames[-1]] += int(count)
        for frame in set(frames):
            under[frame] += int(count)
    return total, own, under


def sample(pid: int, chosen: argparse.Namespace, file: Path) -> list[str]:
    """Folded stacks of one process. Raises BenchFault when py-spy is missing or may not look."""
    binary = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if binary is None:
        raise BenchFault("py-spy is not installed: pip install py-spy")
    command = [binary, "record", "--pid", str(pid), "--duration", str(chosen.seconds), "--rate", str(chosen.rate)]
    command += ["--format", "raw", "--output", str(file), "--nonblocking"]
    command += ["--native"] if chosen.native else []
    command += [] if chosen.lines else ["--function"]
    if chosen.native:
        command.remove("--nonblocking")  # C frames can be read from a halted process only
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=chosen.seconds + 60)
    if result.returncode or not file.exists():
        raise BenchFault(f"py-spy failed: {(result.stdout + result.stderr).strip()[-400:]}")
    return file.read_text().splitlines()


def process_of(server: Server, name: str) -> int:
    """The process to look at; the log writer is the server's youngest child, there once it has written something."""
    children = family(server.pid)[1:]
    if name != "writer":
        return server.pid
    if not children:
        raise BenchFault("the server has no second process")
    return children[-1]


def target(session: Session, chosen: argparse.Namespace) -> Server:
    """The server to load."""
    if chosen.calls in POLICY:
        return session.serving("policy", targets.config(session.upstream.port), policy.GATEWAYS)
    if chosen.calls != STREAMS:
        return session.bare if chosen.process == "bare" else session.penstock
    upstream = targets.started(session.stack, targets.mock(session.folder))
    if chosen.process == "bare":
        return targets.started(session.stack, targets.bare(session.folder, upstream.port))
    text = targets.config(upstream.port, "/openai")
    return targets.started(session.stack, targets.penstock(session.folder, "penstock", text))


def load_of(server: Server, chosen: argparse.Namespace, folder: Path) -> Callable[[float], object]:
    """What loads it for so many seconds."""
    if chosen.calls == STREAMS:
        path = streaming.PATH if chosen.process == "bare" else targets.LOGGED
        once = streams.FRAMES * streams.PACE / 1000
        count = streaming.STREAMS
        return lambda seconds: streams.run(streams.Order(server.port, path, count, math.ceil(seconds / once)))
    where, unique = (SHAPES[chosen.calls],), chosen.calls == "miss"
    lua = load.script(folder / "profile.lua", where, payload.prompts(64), targets.WITH_TOKEN, unique=unique)
    return lambda seconds: load.run(server.port, lua, seconds)


def main() -> int:
    """Prints the table."""
    chosen = options(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="penstock-profile-") as name, ExitStack() as stack:
        folder = Path(name)
        session = Session(folder, stack, Quiet(), lambda _: None)
        server = target(session, chosen)
        work = load_of(server, chosen, folder)
        work(WARM_UP)
        pid = process_of(server, chosen.process)
        loader = threading.Thread(target=work, args=(chosen.seconds + WARM_UP,))
        loader.start()
        try:
            stacks = sample(pid, chosen, chosen.raw or folder / "stacks.txt")
        finally:
            loader.join()
    total, own, under = shares(stacks)
    print(f"{total} samples of the {chosen.process} process, calls: {chosen.calls}\n\n  self   under  where")
    for frame, count in own.most_common(chosen.top):
        print(f"{count / total:6.1%} {under[frame] / total:6.1%}  {frame}")
    print("\n under  where (with what it calls)")
    told = [(frame, count) for frame, count in under.most_common() if count < total * OUTER]
    for frame, count in told[: chosen.top]:
        print(f"{count / total:6.1%}  {frame}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
