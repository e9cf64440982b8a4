import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.options import PATH, SIZE, SWITCH, URL, Setting, number, pattern, seconds, url


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("0", 0),
        ("512", 512),
        (512, 512),
        ("512B", 512),
        ("10MB", 10_000_000),
        ("10 mb", 10_000_000),
        ("64KiB", 65_536),
        ("1.5GB", 1_500_000_000),
        (" 2GiB ", 2 * 1024**3),
    ],
)
def test_a_size_is_bytes_or_has_a_unit(written, size):
    assert SIZE.parse(written) == size


@pytest.mark.parametrize("written", ["", "MB", "10M", "-1", -1, "ten", True, 1.5, None, "1e6", "10MB/s"])
def test_what_is_no_size_is_refused(written):
    with pytest.raises(ValueError, match="must be a size such as 500000, 10MB or 64KiB"):
        SIZE.parse(written)


@given(st.integers(min_value=0, max_value=2**60))
def test_a_size_as_spelt_reads_back_as_itself(size):
    assert SIZE.parse(SIZE.spell(size)) == size


def test_sizes_are_spelt_short_and_exact():
    assert [SIZE.spell(n) for n in (0, 1, 1500, 100_000_000, 65_536)] == ["0", "1", "1500", "100MB", "64KiB"]


@pytest.mark.parametrize(
    ("written", "value"), [("true", True), ("1", True), ("ON", True), ("no", False), (False, False)]
)
def test_a_switch_takes_the_usual_words(written, value):
    assert SWITCH.parse(written) is value


@pytest.mark.parametrize("written", ["", "maybe", 1, 0, None])
def test_a_switch_takes_no_others(written):
    with pytest.raises(ValueError, match="must be true or false"):
        SWITCH.parse(written)


def test_a_number_keeps_to_its_limits():
    kind = number(1, 64)
    assert (kind.parse("1"), kind.parse(64)) == (1, 64)
    for written in ("0", 65, "-3"):
        with pytest.raises(ValueError, match="must be 1 to 64"):
            kind.parse(written)
    for written in ("", "x", "1.5", 1.0, True, "9" * 5000, "१"):
        with pytest.raises(ValueError, match="must be a whole number, 1 to 64"):
            kind.parse(written)


def test_seconds_are_positive_and_may_have_fractions():
    assert (seconds().parse("0.5"), seconds().parse(30), seconds(zero=True).parse("0")) == (0.5, 30.0, 0.0)
    for written in ("0", "-1", "nan", "inf", "soon", "", True, None):
        with pytest.raises(ValueError, match="must be a number of seconds, more than 0"):
            seconds().parse(written)


def test_a_pattern_holds_for_the_whole_text_and_empty_means_not_set():
    kind = pattern("[0-9a-f]{4}", "4 hexadecimal digits")
    assert (kind.parse("00ff"), kind.parse("")) == ("00ff", "")
    for written in ("00ff0", "xyz!", 12):
        with pytest.raises(ValueError, match="must be"):
            kind.parse(written)


@pytest.mark.parametrize(
    "written", ["http://127.0.0.1:8788/openai", "https://[::1]:9", "https://{resource}.example.com/v1"]
)
def test_an_address_stays_as_written_but_for_a_last_slash(written):
    assert url(written + "/") == url(written) == written


@pytest.mark.parametrize(
    "written",
    [
        "",
        "example.com",
        "ftp://a",
        "http://",
        "http://a:x",
        "http://a:99999",
        "http://u:p@a",
        "http://a?b",
        "http://a#b",
        5,
    ],
)
def test_what_is_no_address_is_refused(written):
    with pytest.raises(ValueError, match="must be"):
        url(written)


def test_an_optional_address_may_be_empty():
    assert (URL.parse(""), URL.parse("http://a/")) == ("", "http://a")


def test_a_path_may_start_at_home():
    assert PATH.parse("~/x").is_absolute()
    with pytest.raises(ValueError, match="must be a path"):
        PATH.parse("")


def test_a_setting_knows_its_variable_and_flag():
    setting = Setting("data_dir", PATH, None, "", secret=False)
    assert (setting.variable, setting.flag) == ("PENSTOCK_DATA_DIR", "--data-dir")
