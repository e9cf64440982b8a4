from contextlib import closing

import pytest

from penstock.storage import accounts, gateways, opening
from penstock.storage.engine import Database
from penstock.storage.errors import Taken

MINE, THEIRS = "a" * 32, "b" * 32


@pytest.fixture
async def store(url):
    with closing(opening.connect(url)) as connection:
        for account in (MINE, THEIRS):
            accounts.add_account(connection, account, 0)
    made = Database(url)
    yield made
    await made.close()


@pytest.fixture
async def writing(store):
    async with store.writing() as connection:
        yield connection


async def add(connection, *ids, account=MINE, version=2, now=10):
    return [await gateways.insert(connection, account, name, {"of": name}, now, version) for name in ids]


async def ids(connection, account=MINE, limit=100, offset=0, **which):
    rows, total = await gateways.page(connection, account, limit=limit, offset=offset, **which)
    return [row.id for row in rows], total


async def test_a_row_is_read_as_it_was_written(writing):
    settings = {"b": [1, {"z": None, "a": 0.5}], "a": "é\x00"}
    made = await gateways.insert(writing, MINE, "g", settings, 10, 2)
    read = await gateways.get(writing, MINE, "g")
    assert read is not None
    assert read == made
    assert list(read.settings) == ["b", "a"]
    assert (made.created_at, made.modified_at, made.deleted_at, made.version) == (10, 10, None, 2)


async def test_an_id_is_taken_once_in_an_account(writing):
    (mine,) = await add(writing, "g")
    await add(writing, "g", account=THEIRS)
    with pytest.raises(Taken):
        await add(writing, "g")
    assert await gateways.get(writing, MINE, "g") == mine  # the transaction goes on


async def test_an_account_that_does_not_exist_is_not_taken_for_an_id_that_does(store):
    with pytest.raises(Exception, match=r"(?i)foreign key") as failed:
        async with store.writing() as connection:
            await gateways.insert(connection, "c" * 32, "g", {}, 10, 2)
    assert not isinstance(failed.value, Taken)


async def test_the_owner_is_part_of_every_question(writing):
    (row,) = await add(writing, "g")
    assert await gateways.get(writing, THEIRS, "g") is None
    assert await ids(writing, THEIRS) == ([], 0)
    assert not await gateways.change(writing, THEIRS, row.number, {}, 20, 3)
    assert not await gateways.delete(writing, THEIRS, row.number, 20, 3)
    assert await gateways.get(writing, MINE, "g") == row


async def test_pages_are_in_order_of_creation(writing):
    await add(writing, "c", "a", now=10)
    await add(writing, "b", now=5)
    assert await ids(writing) == (["b", "c", "a"], 3)
    assert await ids(writing, limit=1, offset=1) == (["c"], 3)
    assert await ids(writing, limit=1, offset=7) == ([], 3)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["a_b", "axb", "a%b"]),
        ("_", ["a_b"]),
        ("%", ["a%b"]),
        ("x", ["axb"]),
        ("/", []),
        ("a", ["a_b", "axb", "a%b"]),
    ],
)
async def test_a_search_is_for_the_letters_themselves(writing, search, found):
    await add(writing, "a_b", "axb", "a%b")
    assert await ids(writing, search=search) == (found, len(found))


async def test_a_page_among_some(writing):
    await add(writing, "a", "b", "c")
    assert await ids(writing, among=frozenset({"c", "a", "d"})) == (["a", "c"], 2)
    assert await ids(writing, among=frozenset({"c"}), search="a") == ([], 0)
    assert await ids(writing, among=frozenset()) == ([], 0)


async def test_a_page_of_those_that_have_a_setting(writing):
    for name, settings in (
        ("a", {"limits": {}}),
        ("b", {"limits": None}),
        ("c", {"of": "limits"}),
        ("d", {"limits": 1}),
    ):
        await gateways.insert(writing, MINE, name, settings, 10, 2)
    assert await ids(writing, having="limits", limit=1) == (["a"], 2)
    assert await ids(writing, having="limits", offset=1) == (["d"], 2)


@pytest.mark.parametrize(
    ("text", "named"),
    [("a", True), ('é"%', True), ("é", False), ("A", False), ("b", False), ("theirs", False), ("gone", False)],
)
async def test_whether_any_names_a_text_in_a_setting(writing, text, named):
    for account, gateway, settings in (
        (MINE, "with", {"keys": ["a", 'é"%'], "others": ["b"]}),
        (MINE, "without", {"keys": None, "a": 1}),
        (MINE, "gone", {"keys": ["gone"]}),
        (THEIRS, "g", {"keys": ["theirs"]}),
    ):
        made = await gateways.insert(writing, account, gateway, settings, 10, 2)
        if gateway == "gone":
            await gateways.delete(writing, account, made.number, 20, 3)
    assert await gateways.any_names(writing, MINE, "keys", text) == named
    assert await gateways.any_names(writing, MINE, "keys", text, among=frozenset({"with", "x"})) == named
    assert not await gateways.any_names(writing, MINE, "keys", text, among=frozenset({"without"}))


async def test_a_change(writing):
    (row,) = await add(writing, "g")
    assert await gateways.change(writing, MINE, row.number, {"new": True}, 20, 3)
    changed = await gateways.get(writing, MINE, "g")
    assert changed is not None
    assert (changed.settings, changed.created_at, changed.modified_at, changed.version) == ({"new": True}, 10, 20, 3)


async def test_a_deleted_gateway_is_seen_by_nobody_and_frees_its_id(writing):
    (row,) = await add(writing, "g")
    assert await gateways.delete(writing, MINE, row.number, 20, 3)
    assert await gateways.get(writing, MINE, "g") is None
    assert await ids(writing) == ([], 0)
    assert not await gateways.delete(writing, MINE, row.number, 20, 3)
    assert not await gateways.change(writing, MINE, row.number, {}, 20, 3)
    (again,) = await add(writing, "g", version=4)
    assert again.number > row.number


async def test_what_changed_since_a_version_in_order_of_the_changes(writing):
    a, _ = await add(writing, "a", "b", version=2)
    await add(writing, "c", account=THEIRS, version=3)
    await gateways.delete(writing, MINE, a.number, 20, 4)
    await add(writing, "a", version=5)
    newer = await gateways.changed_since(writing, 2)
    assert [(row.id, row.deleted_at, row.version) for row in newer] == [("c", None, 3), ("a", 20, 4), ("a", None, 5)]
    assert [row.id for row in await gateways.changed_since(writing, 1)] == ["b", "c", "a", "a"]
    assert await gateways.changed_since(writing, 5) == []


async def test_a_forgotten_gateway_leaves_nothing_and_its_number_is_not_given_again(writing):
    a, b = await add(writing, "a", "b")
    await gateways.forget(writing, a.number)  # it lives: nothing happens
    for row, now in ((b, 20), (a, 30)):
        await gateways.delete(writing, MINE, row.number, now, 3)
    assert [row.id for row in await gateways.deleted(writing, 10)] == ["b", "a"]
    assert [row.id for row in await gateways.deleted(writing, 1)] == ["b"]
    await gateways.forget(writing, b.number)
    assert [row.id for row in await gateways.deleted(writing, 10)] == ["a"]
    (c,) = await add(writing, "c")
    assert c.number > b.number


async def test_a_transaction_that_fails_leaves_nothing(store):
    with pytest.raises(RuntimeError):
        async with store.writing() as connection:
            await add(connection, "g")
            raise RuntimeError
    async with store.reading() as connection:
        assert await gateways.get(connection, MINE, "g") is None
