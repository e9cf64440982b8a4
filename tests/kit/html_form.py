"""Forms in a page, as a browser would send them."""

from html.parser import HTMLParser


class _Fields(HTMLParser):
    def __init__(self, action: str) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}
        self._action = action
        self._inside = False
        self._name = ""  # of the select or text that is being read
        self._options: list[tuple[str, bool]] = []
        self._text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._inside = given.get("method") == "post" and given.get("action") == self._action
        if not self._inside:
            return
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.found.setdefault(name, []).append(value)
        elif tag == "select":
            self._name, self._options = name, []
        elif tag == "option":
            self._options.append((value, "selected" in given))
        elif tag == "textarea":
            self._name, self._text = name, []

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select" and self._inside:
            chosen = [value for value, selected in self._options if selected] or [self._options[0][0]]
            self.found.setdefault(self._name, []).append(chosen[-1])
        elif tag == "textarea" and self._inside and self._text is not None:
            self.found.setdefault(self._name, []).append("".join(self._text).removeprefix("\n"))
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)


def fields(page: str, action: str) -> dict[str, list[str]]:
    """The fields of the form that is sent to ``action``, with what stands in them; no buttons."""
    reader = _Fields(action)
    reader.feed(page)
    reader.close()
    return reader.found
