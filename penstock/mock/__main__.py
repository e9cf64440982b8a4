"""``python -m penstock.mock`` serves the simulated providers."""

import argparse

from penstock.mock.server import run


def main() -> int:
    """Reads the flags and serves; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m penstock.mock", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=8788, help="the port to listen on; 0 takes a free one")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does")
    flags = parser.parse_args()
    return run(flags.host, flags.port, until_eof=flags.until_eof)


if __name__ == "__main__":
    raise SystemExit(main())
