# ruff: noqa: INP001
"""Exit status 0 if the Penstock of this container answers /healthz, else 1 with the reason on standard output.

It asks where the settings say that Penstock listens; give them by environment or file, not by flags of another command.
"""

import os
import ssl
import sys
import urllib.request

from penstock.core.settings import SettingsError, load, url_of

SECONDS = 3


def main() -> int:
    try:
        settings = load({}, os.environ)
        certain = ssl.create_default_context()
        certain.check_hostname = False  # the certificate is for the public name, and this machine asks itself
        certain.verify_mode = ssl.CERT_NONE
        direct = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=certain)
        )
        scheme = "https" if settings.tls_certificate else "http"
        direct.open(f"{url_of(settings.host, settings.port, scheme)}/healthz", timeout=SECONDS).close()
    except (OSError, SettingsError) as error:  # an HTTP error is an OSError
        sys.stdout.write(f"not healthy: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
