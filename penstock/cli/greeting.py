"""What a start prints: where it listens, what the first start made, and a call to paste."""

import shlex
import shutil
import socket
import sys
from pathlib import Path

import penstock
from penstock.control.first_start import CREDENTIALS, Start
from penstock.control.sessions import link
from penstock.core.roles import PARTS, Part
from penstock.core.settings import Settings, url_of

_CALL = """\
  curl {url}/v1/{account}/default/openai/chat/completions \\
    -H "cf-aig-authorization: Bearer {token}" {key}\\
    -H 'content-type: application/json' \\
    -d '{{"model":"gpt-4o-mini","messages":[{{"role":"user","content":"Hello, Penstock!"}}]}}'
"""


def greeting(settings: Settings, start: Start, listener: socket.socket, *, simulate: bool) -> str:
    """The text, of several lines; in the last one, what to try next."""
    host, port = listener.getsockname()[:2]
    scheme = "https" if settings.tls_certificate else "http"
    url = settings.named_url or url_of(host, port, scheme)
    shown = f"[{host}]" if ":" in host else host
    account = settings.account_id or start.accounts[0]
    lines = [f"Penstock {penstock.__version__} listens on {scheme}://{shown}:{port}", ""]
    lines.append(f"  Account    {account}")
    if start.token:
        lines.append(f"  API token  {start.token}")
        lines.append(f"             (shown once; kept in {settings.data_dir / CREDENTIALS})")
    lines += _dashboard(settings, start, url)
    if simulate:
        lines.append("  Providers  simulated: every call is answered on this machine and costs nothing")
    if settings.role != "all":
        lines.append(f"  Role       {settings.role}")
    if settings.workers > 1:
        lines.append(f"  Workers    {settings.workers}")
    if Part.CALLS not in PARTS[settings.role]:
        path = "docs" if Part.API in PARTS[settings.role] else "readyz"
        return "\n".join([*lines, "", f"See {url}/{path}\n"])
    provider = "" if simulate else '-H "authorization: Bearer $OPENAI_API_KEY" '
    lines += ["", "Try it:", "", _CALL.format(url=url, account=account, token=_token(settings, start), key=provider)]
    lines.append(f"and see the call: {_command()} logs tail{_place(settings)}\n")
    return "\n".join(lines)


def _dashboard(settings: Settings, start: Start, url: str) -> list[str]:
    """Where it is, if it is here."""
    if Part.API not in PARTS[settings.role]:
        return []
    if not start.link:
        return [f"  Dashboard  {url}/"]
    return [f"  Dashboard  {link.address(url, start.link)}", "             (signs in once, within an hour)"]


def _token(settings: Settings, start: Start) -> str:
    """The token as the printed call has it: in plain the one time it may be shown, else where a shell finds it."""
    credentials = (settings.data_dir / CREDENTIALS).absolute()
    if start.token or settings.api_token or not credentials.exists():
        return start.token or "$PENSTOCK_API_TOKEN"
    return f"$(sed -n s/^PENSTOCK_API_TOKEN=//p {shlex.quote(str(credentials))})"


def _command() -> str:
    """How the user can start ``penstock`` from where they are."""
    script = Path(sys.executable).with_name("penstock")
    try:
        return str(script.relative_to(Path.cwd())) if script.exists() else f"{sys.executable} -m penstock"
    except ValueError:
        return "penstock" if shutil.which("penstock") == str(script) else str(script)


def _place(settings: Settings) -> str:
    return "" if settings.data_dir == Settings().data_dir else f" --data-dir {shlex.quote(str(settings.data_dir))}"
