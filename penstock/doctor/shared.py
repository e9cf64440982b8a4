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
        remedy = (
            "Check user and password in redis_url, and what that user may do."
            if error.refused
            else "Start Redis, and check host and port in redis_url, and what lies between."
        )
        yield problem("redis", f"Redis cannot be used: {str(error).rstrip('.')}.", remedy)
        return
    release = re.match(r"\d+", version)
    if release and int(release[0]) < OLDEST:
        yield warning("redis", f"Redis {version} answers, and is old.", f"Bring it to release {OLDEST} or newer.")
    else:
        yield ok("redis", f"Redis {version} answers.")
