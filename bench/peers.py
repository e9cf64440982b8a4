"""Other gateways under the same load, each installed into a throw-away place that goes with the run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench import payload, targets
from bench.figures import median, paired_ratio
from bench.procs import BenchFault, Server, free_port, memory
from bench.session import Session
from bench.table import Table
from bench.throughput import Target, run

HEADING = ("1 KB, 16 connections", "requests/s", "× nginx", "CPU µs", "resident MB", "")
MB = 1_000_000
INSTALL_LIMIT = 600  # seconds
PORTKEY = Path("node_modules/@portkey-ai/gateway")

# The caller's key is the proxy's own, so that the same request goes through; nothing is stored.
LITELLM = """
model_list:
  - model_name: {model}
    litellm_params:
      model: openai/{model}
      api_base: http://127.0.0.1:{upstream}/v1
      api_key: sk-upstream
litellm_settings:
  telemetry: false
general_settings:
  master_key: {key}
  disable_spend_logs: true
"""


def measure(session: Session) -> Table:
    """Each peer beside nginx and Penstock with its log on; a peer that cannot be had says why."""
    table = Table("Other gateways, same load", HEADING)
    with session.alone() as part:
        ours = part.penstock
        plan = [
            Target("nginx proxy_pass", part.nginx, (targets.DIRECT,)),
            Target("Penstock, log on", ours, (targets.LOGGED,), part.store(ours)),
        ]
        for name, make in PEERS.items():
            session.say(f"  installing {name}")
            try:
                plan.append(make(part))
                plan[-1].check()
            except (BenchFault, OSError, subprocess.SubprocessError) as fault:
                plan = [target for target in plan if not target.name.startswith(name)]
                table.failed(name, f"{fault}.")
        rounds = run(part, plan)
        for target, found in zip(plan, rounds, strict=True):
            ratio = paired_ratio([one.rate for one in found], [one.rate for one in rounds[0]])
            held = sum(memory(target.server.pid).rss) / MB
            rate, cpu = median([one.rate for one in found]), median([one.cpu for one in found])
            table.add(target.name, f"{rate:,.0f}", f"{ratio:.4f}", f"{cpu:,.1f}", f"{held:.0f}", "")
    table.notes.append(
        "One worker each, telemetry and stored logs off for the others; Penstock writes every row and both bodies."
    )
    return table


def litellm(session: Session) -> Target:
    """LiteLLM's proxy in a virtual environment of its own."""
    home = session.folder / "litellm"
    _install([sys.executable, "-m", "venv", str(home)])
    _install([str(home / "bin/pip"), "install", "--quiet", "litellm[proxy]"])
    listed = _install([str(home / "bin/pip"), "list", "--format=freeze"])
    found = next((line for line in listed.splitlines() if line.startswith("litellm==")), "litellm")
    config = home / "config.yaml"
    key = payload.HEADERS["authorization"].removeprefix("Bearer ")
    config.write_text(LITELLM.format(model=payload.MODEL, upstream=session.upstream.port, key=key))
    port = free_port()
    command = [str(home / "bin/litellm"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False", "LITELLM_LOG": "ERROR"}
    server = _serve(session, "litellm", [*command, "--num_workers", "1"], port, env)
    return Target(f"LiteLLM {found.partition('==')[2]}", server, (targets.DIRECT,))


def portkey(session: Session) -> Target:
    """Portkey's gateway under a prefix of its own."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise BenchFault("node and npm are not installed (Debian: npm)")
    home = session.folder / "portkey"
    home.mkdir()
    _install([npm, "install", "--prefix", str(home), "--no-audit", "--no-fund", "--silent", "@portkey-ai/gateway"])
    port = free_port()
    command = [node, str(home / PORTKEY / "build/start-server.js"), f"--port={port}", "--headless"]
    server = _serve(session, "portkey", command, port, {"NODE_ENV": "production"})
    version = _install([node, "-p", f"require({str(home / PORTKEY / 'package.json')!r}).version"]).strip()
    headers = {
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"http://127.0.0.1:{session.upstream.port}/v1",
    }
    return Target(f"Portkey {version}", server, (targets.DIRECT,), headers=headers)


def _serve(session: Session, name: str, command: Sequence[str], port: int, env: Mapping[str, str]) -> Server:
    """Starts a peer; such a start takes up to a minute and a half."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PENSTOCK_", "LITELLM_"))}
    server = Server(name, command, port, session.folder / f"{name}.log", inherited | {"DO_NOT_TRACK": "1"} | dict(env))
    session.stack.callback(server.stop)
    return server.ready(90)


def _install(command: Sequence[str]) -> str:
    """Runs one step; its output. Raises BenchFault with the end of what it said."""
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=INSTALL_LIMIT)
    if result.returncode:
        said = " / ".join((result.stdout + result.stderr).strip().splitlines()[-3:])
        raise BenchFault(f"{Path(command[0]).name} {command[1]} failed: {said[-400:]}")
    return result.stdout


PEERS: dict[str, Callable[[Session], Target]] = {"LiteLLM": litellm, "Portkey": portkey}
