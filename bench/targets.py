"""What is measured and what stands behind it: private instances on loopback ports of their own."""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from bench import payload
from bench.procs import BenchFault, Server, free_port
from tests.kit.store import ACCOUNT, MASTER_KEY, a_token, furnish

TOKEN = "pst_bench_0123456789abcdef0123456789abcdef"  # noqa: S105  opens nothing: the server it is for ends with the run
WITH_TOKEN = {"cf-aig-authorization": f"Bearer {TOKEN}"}
WITHOUT = {"cf-aig-authorization": f"Bearer {TOKEN[::-1]}"}
GATEWAYS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "nolog": {"collect_logs": False},
    "closed": {"authentication": True},
    "silent": {"authentication": True, "collect_logs": False},
}
LOGGED = f"/v1/{ACCOUNT}/default/openai/chat/completions"
UNLOGGED = f"/v1/{ACCOUNT}/nolog/openai/chat/completions"
CLOSED = f"/v1/{ACCOUNT}/closed/openai/chat/completions"
SILENT = f"/v1/{ACCOUNT}/silent/openai/chat/completions"
UNKNOWN = f"/v1/{ACCOUNT}/no-such-gateway/openai/chat/completions"
DIRECT = "/v1/chat/completions"
ROOT = Path(__file__).parent.parent

NGINX = """
{user}
daemon off;
pid nginx.pid;
error_log error.log warn;
worker_processes 1;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  default_type application/json;
  keepalive_requests 1000000000;
  keepalive_timeout 600;
  client_body_buffer_size 1m;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
{http}
}}
"""

ANSWERING = """
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ return 200 '{answer}'; }}
    location /v1/messages {{ return 200 '{message}'; }}
    location /v1/fails {{ return 500 '{{"error":{{"message":"planted","type":"server_error"}}}}'; }}
  }}
"""

# The reference. Buffering is off, as it must be for a stream to pass; for a 1 KB answer it makes no difference.
PASSING = """
  upstream behind {{ server 127.0.0.1:{upstream}; keepalive 2048; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 600;
    }}
  }}
"""

CONFIG = """
[providers.openai]
base_url = "http://127.0.0.1:{upstream}{base}"
"""


def nginx_binary() -> str:
    """Debian puts it where not every PATH looks."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BenchFault("nginx is not installed (Debian: nginx-light)")
    return found


def _nginx(name: str, folder: Path, port: int, http: str) -> Server:
    home = folder / name
    home.mkdir()
    user = "user root;" if os.geteuid() == 0 else ""  # else the workers could not enter a private folder
    (home / "nginx.conf").write_text(NGINX.format(user=user, http=http))
    # -e: or else nginx opens the system's error log before it reads the configuration
    command = [nginx_binary(), "-p", str(home), "-c", "nginx.conf", "-e", "error.log"]
    return Server(name, command, port, home / "output.log")


def answering_nginx(folder: Path) -> Server:
    """The upstream: answers every call at once with one completion, or message, of 1 KB, only its id changes."""
    port = free_port()
    answer, message = payload.answer("$request_id").decode(), payload.message("$request_id").decode()
    return _nginx("upstream", folder, port, ANSWERING.format(port=port, answer=answer, message=message))


def passing_nginx(folder: Path, upstream: int, name: str = "nginx") -> Server:
    """The reference every ratio is taken against: one worker, ``proxy_pass``, connections kept on both sides."""
    port = free_port()
    return _nginx(name, folder, port, PASSING.format(port=port, upstream=upstream))


def bare(folder: Path, upstream: int) -> Server:
    """Forwarding and nothing else, in Python: what the language costs."""
    port = free_port()
    command = [sys.executable, "-m", "bench.bare", str(port), str(upstream)]
    return Server("bare", command, port, folder / f"bare-{port}.log", environment({}))


def mock(folder: Path) -> Server:
    """The simulated providers, for paced streams."""
    port = free_port()
    command = [sys.executable, "-m", "penstock", "mock", "--port", str(port)]
    return Server("mock", command, port, folder / f"mock-{port}.log", environment({}))


def config(upstream: int, base: str = "/v1") -> str:
    """A configuration file with one provider."""
    return CONFIG.format(upstream=upstream, base=base)


class Fleet(NamedTuple):
    """What several workers share: the URLs of a PostgreSQL database and of a Redis."""

    database: str
    redis: str

    def environment(self) -> dict[str, str]:
        """Two workers on them."""
        return {
            "PENSTOCK_WORKERS": "2",
            "PENSTOCK_DATABASE_URL": self.database,
            "PENSTOCK_REDIS_URL": self.redis,
            "PENSTOCK_MASTER_KEY": MASTER_KEY.hex(),
        }


def penstock(
    folder: Path,
    name: str,
    text: str,
    gateways: Mapping[str, Mapping[str, Any]] = GATEWAYS,
    fleet: Fleet | None = None,
) -> Server:
    """A Penstock with its own data folder ``<folder>/<name>``, which may exist from an earlier start; or a ``fleet``.

    ``gateways`` are what differs from one that logs and lets anybody in.
    """
    data = folder / name
    if not data.exists():
        data.mkdir()
        asyncio.run(furnish(data, gateways, [a_token(TOKEN)], url=fleet.database if fleet else None))
    file = folder / f"{name}.toml"
    file.write_text(text)
    port = free_port()
    command = [sys.executable, "-m", "penstock", "serve", "--port", str(port)]
    command += ["--data-dir", str(data), "--config", str(file)]
    env = environment({"PENSTOCK_ACCOUNT_ID": ACCOUNT, "PENSTOCK_API_TOKEN": TOKEN})
    env |= fleet.environment() if fleet else {}
    return Server(name, command, port, folder / f"{name}.log", env)


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Ours without any Penstock setting of the caller's, and with this checkout importable."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
    return inherited | {"PYTHONPATH": str(ROOT)} | dict(extra)


def started(stack: ExitStack, server: Server) -> Server:
    """Waits until it listens and binds its end to the stack's."""
    stack.callback(server.stop)
    return server.ready()
