"""Stylesheet and scripts: kept for ever by the browser, and none from elsewhere."""

import hashlib
import re
from pathlib import Path

from penstock.dashboard import files

VENDOR = files.HERE / "static" / "vendor"


def test_files_are_kept_under_their_digest_and_found_under_any(pages):
    address = files.address("static/style.css")
    fresh = pages.get(address)
    assert fresh.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert fresh.headers["content-type"] == "text/css; charset=utf-8"
    other = pages.get("/ui/static/0000000000000000/static/style.css")
    assert (other.html, other.headers["cache-control"]) == (fresh.html, "no-store")


def test_nothing_else_of_the_folder_is_served(pages):
    for path in (
        "page.py",
        "templates/layout.html",
        "../app.py",
        "%2e%2e/app.py",
        "static/vendor/README.md",
        "none.css",
    ):
        assert pages.get(f"{files.address('')}{path}").status == 404


def test_what_is_vendored_is_what_its_list_says():
    rows = re.findall(
        r"\| `([\w.]+)` \| [\w.]+ \| ([\d.]+) \| \w+ \| `(\w{64})` \|", (VENDOR / "README.md").read_text()
    )
    digests = {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name, _, _ in rows}
    assert digests == {name: digest for name, _, digest in rows}
    assert {path.name for path in VENDOR.iterdir() if path.suffix in {".js", ".css"}} == set(digests)


def test_pages_and_their_scripts_name_no_other_place():
    """Vendored files name their authors; what they load is up to our pages, and the policy allows none."""
    own = [
        path for path in files.HERE.rglob("*") if path.suffix in {".html", ".js", ".css"} and VENDOR not in path.parents
    ]
    named = {str(Path(path).name): re.findall(r"(?:src|href|url\()\W*https?://\S+", path.read_text()) for path in own}
    assert {name: found for name, found in named.items() if found} == {}


def test_no_page_has_code_or_style_in_itself():
    """The policy would keep it from acting."""
    for path in files.HERE.rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\bsrc=)(?![^>]*application/json)", text), path
