"""One call in the terminal."""

from typing import Any

from penstock.cli.logs.card import lines

ROW: dict[str, Any] = {
    "status_code": 0,
    "outcome": "client_gone",
    "success": False,
    "provider": "",
    "model": "m",
    "cost": None,
    "created_at": "2024-01-31T12:00:00.000Z",
    "id": "x",
    "event_id": "mine",
    "gateway": "g",
    "method": "POST",
    "path": "p",
    "cached": True,
    "tokens_in": 0,
    "tokens_out": None,
    "cost_source": None,
    "request_size": 1,
    "response_size": 2,
    "metadata": None,
    "user_agent": "curl\x1b",
    "feedback": -1,
    "score": 0,
    "timings": {},
    "decisions": {"route": {"path": [{"element": "a"}], "why": "odd"}},
    "attempts": [],
    "warnings": [],
    "error": "no",
}


def test_a_call_that_came_to_nothing():
    shown = [line.plain for line in lines(ROW, {"request": None, "response": None}, 10)]
    assert shown == [
        "0 client_gone  -  m  2024-01-31T12:00:00.000Z  x",
        *("  gateway     g", "  path        POST p", "  tokens      0 in, - out (cached)", "  cost        $ -"),
        *("  bytes       1 sent, 2 received", "  user agent  curl·", "  feedback    -1", "  score       0"),
        *("  event       mine", '  route       path [{"element":"a"}], why odd', "  error       no"),
        *("\nThe log has no request body.", "\nThe log has no response body."),
    ]
