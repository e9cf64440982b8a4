import pytest

from penstock.control.logs.schema import HEAD, PER_PAGE, LogDetail, LogQuery
from penstock.storage.log.columns import BY_KEY, ORDERS


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "logging.md").read_text("utf-8")


@pytest.mark.parametrize("name", [*LogQuery.model_fields, *LogDetail.model_fields, *BY_KEY, *ORDERS])
def test_the_docs_name_every_parameter_and_field(page, name):
    assert f"`{name}`" in page


def test_the_docs_have_the_limits(page):
    assert f"at most {PER_PAGE} rows a page" in page
    assert f"the first {HEAD} characters" in page
