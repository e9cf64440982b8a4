"""Reads answers in passing, in slices of bounded work: what they used, and their decoded bytes for the log.

A small piece is read as it comes. What is more waits its turn (``core.turns``), counted in ``room``; where much waits,
the provider is paused. ``rest`` tells when all of it is read. An answer that asks for more than the limits here allow
is not read further, and says why.
"""

from penstock.providers.reading.base import LOST, NOT_KEPT, Reading
from penstock.providers.reading.stream import Stream
from penstock.providers.reading.whole import Whole

__all__ = ["LOST", "NOT_KEPT", "Reading", "Stream", "Whole"]
