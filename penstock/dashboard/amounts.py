"""Amounts of money in forms: dollars as people write them."""

import re
from decimal import Decimal

from penstock.dashboard.forms import Faults, Form, Wrong
from penstock.dashboard.rendering import dollars

_CENTS = 100
_AMOUNT = re.compile(r"\$? ?(\d{1,12}|\d{1,3}(,\d{3}){1,3})(\.\d{1,2})?", re.ASCII)


def cents(form: Form, name: str, least: int, most: int) -> int:
    """Of a field of a form. Raises Wrong for what is no amount, or is not from ``least`` to ``most``."""
    text = form.text(name)
    amount = int(Decimal(text.strip("$ ").replace(",", "")) * _CENTS) if _AMOUNT.fullmatch(text) else None
    if amount is None or not least <= amount <= most:
        said = f"must be dollars, from {dollars(least / _CENTS)} to {dollars(most / _CENTS)}: such as 25 or 12.50"
        raise Wrong(Faults([(name, f"{name}: {said}")]))
    return amount


def plain(amount: float | None) -> str:
    """Cents as a form has them: ``12.5``."""
    return "" if amount is None else f"{amount / _CENTS:.2f}".removesuffix(".00")
