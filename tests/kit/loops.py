"""Event loops that tests run on, by name, as ``pytest_asyncio_loop_factories`` of a conftest.py returns them."""

import asyncio

import uvloop

SERVING = {"uvloop": uvloop.new_event_loop}  # the loop of the server
BOTH = {"asyncio": asyncio.new_event_loop} | SERVING  # the standard loop checks more
