"""The process's own log lines, on standard error: one JSON object a line, or plain text where a person watches."""

import logging
import sys
from datetime import UTC, datetime

from penstock.core.codec import encode

log = logging.getLogger("penstock")
access_log = logging.getLogger("penstock.access")
access_log.setLevel(logging.CRITICAL)  # one line a call is off until ``configure`` switches it on


def configure(*, access: bool) -> None:
    """Sets the format, and with ``access`` that every call leaves one."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Plain() if sys.stderr.isatty() else Lines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    log.setLevel(logging.INFO)
    access_log.setLevel(logging.INFO if access else logging.CRITICAL)


class Lines(logging.Formatter):
    """One JSON object a line; ``extra={"fields": {...}}`` adds members."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return encode(line).decode()


class Plain(logging.Formatter):
    """The same for a terminal. Control characters, which callers may have sent, are shown as dots."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S")
        fields = "".join(f" {name}={value}" for name, value in getattr(record, "fields", {}).items())
        text = f"{time} {record.levelname.lower()}: {record.getMessage().translate(_LINES)}{fields.translate(_WORD)}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info).translate(_LINES)
        return text


_WORD = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], "·")  # C0, DEL and C1
_LINES = {code: dot for code, dot in _WORD.items() if chr(code) not in "\n\t"}
