from penstock.control.logs import pages
from penstock.control.logs.pages import Pages
from penstock.storage.log.listing import Asked

ASKED = Asked(limit=10, search="sea")
END = b"\x05" * 16


def test_a_page_is_counted_from_the_last_that_is_known():
    kept = Pages()
    assert kept.place(1, ASKED, 3) == Asked(limit=10, search="sea", offset=20)
    kept.passed(1, ASKED, 1, END, stopped=True)
    assert kept.place(1, ASKED, 2) == Asked(limit=10, search="sea", beyond=END)
    assert kept.place(1, ASKED, 4) == Asked(limit=10, search="sea", beyond=END, offset=20)
    assert kept.place(1, ASKED, 1) == ASKED
    assert kept.place(2, ASKED, 2) == Asked(limit=10, search="sea", offset=10)
    assert kept.place(1, Asked(limit=10, search="Sea"), 2).beyond is None


def test_what_never_stopped_goes_by_its_numbers():
    kept = Pages()
    kept.passed(1, ASKED, 1, END, stopped=False)
    assert kept.place(1, ASKED, 2) == Asked(limit=10, search="sea", offset=10)


def test_pages_after_a_stop_are_remembered_and_the_first_begins_anew():
    kept = Pages()
    kept.passed(1, ASKED, 1, b"\x09" * 16, stopped=True)
    kept.passed(1, ASKED, 2, END, stopped=False)
    assert kept.place(1, ASKED, 3).beyond == END
    kept.passed(1, ASKED, 1, END, stopped=False)
    assert kept.place(1, ASKED, 3).offset == 20


def test_no_more_is_remembered_than_some():
    kept = Pages()
    for number in range(pages.LISTS + 10):
        kept.passed(number, ASKED, 1, END, stopped=True)
    assert kept.place(9, ASKED, 2).beyond is None
    assert kept.place(10, ASKED, 2).beyond == END
