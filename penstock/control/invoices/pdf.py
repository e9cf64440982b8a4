"""An invoice as PDF, drawn by reportlab (extra ``pdf``), which needs no libraries of the system."""

import io
from collections.abc import Sequence
from typing import Any, cast

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from penstock.control.invoices.documents import Document, Item, day, money

_PLAIN, _BOLD = "Vera", "VeraBd"  # they come with the library
_WIDTH, _HEIGHT = A4
_LEFT, _RIGHT, _BOTTOM = 50.0, _WIDTH - 50, 60.0
_LINE = 14.0
_WIDE = 42  # characters of a description in one line
_COLUMNS = ("calls", "tokens in", "tokens out", "amount, USD")
_ENDS = (340.0, 410.0, 480.0, _RIGHT)


class _Page:
    """A canvas, and how far down it is written."""

    def __init__(self, canvas: Any) -> None:
        self.canvas = canvas
        self.y = _HEIGHT - 60

    def say(self, text: str, *, x: float = _LEFT, font: str = _PLAIN, size: float = 9, right: bool = False) -> None:
        self.canvas.setFont(font, size)
        (self.canvas.drawRightString if right else self.canvas.drawString)(x, self.y, _drawable(text))

    def down(self, lines: float = 1) -> None:
        self.y -= _LINE * lines
        if self.y < _BOTTOM:
            self.canvas.showPage()
            self.y = _HEIGHT - 60


def draw(documents: Sequence[Document]) -> bytes:
    for name in (_PLAIN, _BOLD):
        cast("Any", pdfmetrics).registerFont(TTFont(name, f"{name}.ttf"))
    out = io.BytesIO()
    canvas: Any = Canvas(out, pagesize=A4, invariant=1)
    canvas.setTitle(", ".join(f"{one.kind} {one.number}" for one in documents[:10]))
    for document in documents:
        _draw(_Page(canvas), document)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw(page: _Page, document: Document) -> None:
    for line in document.issuer.splitlines():
        page.say(line)
        page.down()
    page.down()
    page.say(f"{document.kind} {document.number}", font=_BOLD, size=16)
    page.down(2)
    for name, value in (
        ("Account", document.account),
        ("Date", day(document.date)),
        ("Period", document.period),
        ("Status", document.status),
    ):
        if value:
            page.say(name, font=_BOLD)
            page.say(value, x=_LEFT + 70)
            page.down()
    page.down()
    page.say("what", font=_BOLD)
    for name, end in zip(_COLUMNS, _ENDS, strict=True):
        page.say(name, x=end, font=_BOLD, right=True)
    page.down(1.3)
    for item in document.items:
        _item(page, item)
    page.down()
    for name, amount in totals(document):
        page.say(name, x=_ENDS[2], font=_BOLD, right=True)
        page.say(money(amount), x=_RIGHT, font=_BOLD, right=True)
        page.down()


def _item(page: _Page, item: Item) -> None:
    pieces = [item.description[at : at + _WIDE] for at in range(0, len(item.description), _WIDE)] or [""]
    page.say(pieces[0])
    used = (item.calls, item.tokens_in, item.tokens_out) if item.calls else ()
    for value, end in zip(
        (*(f"{number:,}" for number in used), money(item.cents)), _ENDS[3 - len(used) :], strict=True
    ):
        page.say(value, x=end, right=True)
    for piece in pieces[1:]:
        page.down()
        page.say(piece)
    page.down()


def totals(document: Document) -> list[tuple[str, int]]:
    """What stands below the lines."""
    tax = [(f"{document.tax_name} {document.tax_percent} %", document.tax)] if document.tax else []
    return [
        ("Net", document.net),
        *tax,
        ("Total", document.net + document.tax),
        ("Paid by credit", -document.credits),
        ("Due", document.due),
    ]


def _drawable(text: str) -> str:
    """Control characters, which the font has no signs for, become dots."""
    return "".join(sign if sign.isprintable() else "·" for sign in text)
