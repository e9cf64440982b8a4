import logging
import subprocess
import sys

from penstock.core.codec import decode
from penstock.core.logs import Lines, Plain


def record(message="Listening on %s.", arguments=("a",), **extra):
    made = logging.LogRecord("penstock", logging.WARNING, "", 0, message, arguments, None)
    made.__dict__.update(extra)
    return made


def test_a_line_is_one_json_object_with_its_fields():
    line = decode(Lines().format(record(fields={"status": 200})))
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "warning", "logger": "penstock", "message": "Listening on a.", "status": 200}


def test_a_line_is_one_line_whatever_it_says():
    text = Lines().format(record("%s", ("two\nlines",), fields={"path": "a\nb"}))
    assert "\n" not in text
    assert decode(text)["message"] == "two\nlines"


def test_a_failure_comes_with_its_traceback():
    try:
        raise RuntimeError("out of ink")
    except RuntimeError:
        failed = record(exc_info=sys.exc_info())
    assert "RuntimeError: out of ink" in decode(Lines().format(failed))["traceback"]
    assert Plain().format(failed).endswith("RuntimeError: out of ink")


def test_plain_text_has_the_fields_too():
    assert Plain().format(record(fields={"status": 200})).endswith(" warning: Listening on a. status=200")


def test_what_callers_sent_cannot_steer_the_terminal():
    evil = "a\x1b[2J\r\n\t\x00\x7f\x9b31mé"
    text = Plain().format(record(evil, (), fields={"path": evil}))
    assert text.endswith(" warning: a·[2J·\n\t···31mé path=a·[2J······31mé")
    try:
        raise RuntimeError("\x1b[31mred\tink")
    except RuntimeError:
        failed = record(exc_info=sys.exc_info())
    assert Plain().format(failed).endswith("\nRuntimeError: ·[31mred\tink")


def lines(*, access):
    """What a process of its own writes to standard error."""
    code = (
        "import logging; from penstock.core import logs; "
        f"logs.configure(access={access}); "
        "logs.access_log.info('call'); logging.getLogger('penstock').info('started'); "
        "logging.getLogger('other').info('chatter'); logging.getLogger('other').warning('trouble')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return [decode(line)["message"] for line in done.stderr.splitlines()]


def test_calls_leave_a_line_only_where_asked_for():
    assert lines(access=False) == ["started", "trouble"]
    assert lines(access=True) == ["call", "started", "trouble"]
