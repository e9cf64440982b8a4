"""Redis, where several processes share counters and announcements through it."""

import asyncio
import re

from penstock.backends import redis_server
from penstock.doctor.finding import Findings, Subject, ok, problem, warning

OLDEST = 6  # release that is still looked after by somebody


def check(subject: Subject) -> Findings:
    """Whether it answers, and its version; nothing where there is none."""
    if not subject.settings.redis_url:
        return
    try:
        version = asyncio.run(redis_server.version(subject.settings.redis_url))
    except redis_server.RedisUnavailable as error:
        yield problem("redis", f"Redis cannot be used: {str(error).rstrip('.')}.", _remedy(error))
        return
    release = re.match(r"\d+", version)
    if release and int(release[0]) < OLDEST:
        yield warning("redis", f"Redis {version} answers, and is old.", f"Bring it to release {OLDEST} or newer.")
    else:
        yield ok("redis", f"Redis {version} answers.")


def _remedy(error: redis_server.RedisUnavailable) -> str:
    if error.refused:
        return "Check user and password in redis_url, and what that user may do."
    if "certificate verify failed" in str(error):
        return "Name the authority that signed its certificate: ?ssl_ca_certs=/path/ca.pem at the end of redis_url."
    return "Start Redis, and check host and port in redis_url, and what lies between."
