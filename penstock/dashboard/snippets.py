"""Calls as code that can be pasted: each ready to run where PENSTOCK_API_TOKEN holds a token."""

from penstock.dashboard.visit import Guest, Visit

MODEL = "openai/gpt-4o-mini"


def base(guest: Guest) -> str:
    """The origin of the data plane, as clients reach it."""
    return (guest.control.public_url or str(guest.request.base_url)).rstrip("/")


def curl(visit: Visit, gateway: str) -> str:
    """A chat completion by the unified API."""
    account = visit.context.account
    return (
        f"curl {base(visit)}/v1/{account}/{gateway}/compat/chat/completions \\\n"
        '  -H "cf-aig-authorization: Bearer $PENSTOCK_API_TOKEN" \\\n'
        "  -H 'content-type: application/json' \\\n"
        f"""  -d '{{"model": "{MODEL}", "messages": [{{"role": "user", "content": "Hello"}}]}}'"""
    )
