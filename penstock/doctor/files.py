"""How many files the process may open."""

import resource

from penstock.doctor.finding import Findings, Subject, ok, warning

_OTHERS = 100  # beside the two of each connection: the log, the store, the listener


def check(subject: Subject) -> Findings:
    """The limit that a server started from here would have, against ``max_connections``."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    connections = subject.settings.max_connections
    need = 2 * connections + _OTHERS
    if hard == resource.RLIM_INFINITY or hard >= need:
        yield ok("files", f"A process started here may open enough files for {connections} connections.")
        return
    text = f"A process started here may open {hard} files, and {connections} connections can need {need}."
    yield warning("files", text, "Raise the limit (ulimit -Hn, LimitNOFILE of a service), or lower max_connections.")
