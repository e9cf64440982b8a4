import zlib

import brotli
import pytest
import zstandard

from penstock.mock.answer import Act
from penstock.mock.encoding import ENCODERS, encode, encode_live

FRAMES = [b"data: one\n\n", b"data: two\n\n", b"data: three\n\n"]
DECODERS = {
    "gzip": lambda: zlib.decompressobj(31).decompress,
    "deflate": lambda: zlib.decompressobj(15).decompress,
    "br": lambda: brotli.Decompressor().process,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj().decompress,
}


@pytest.mark.parametrize("name", ENCODERS)
def test_each_frame_can_be_read_as_soon_as_it_is_there(name):
    decode = DECODERS[name]()
    assert [decode(frame) for frame in encode(name, FRAMES)] == FRAMES


@pytest.mark.parametrize("name", ENCODERS)
def test_a_body_on_its_way_ends_in_a_frame_of_its_own(name):
    decode = DECODERS[name]()
    encoded = list(encode_live(name, [FRAMES[0], Act.MORE, FRAMES[1]]))
    assert encoded[1] is Act.MORE
    assert b"".join(decode(frame) for frame in encoded if isinstance(frame, bytes)) == FRAMES[0] + FRAMES[1]


@pytest.mark.parametrize("name", ENCODERS)
def test_an_empty_body_is_still_encoded(name):
    assert DECODERS[name]()(b"".join(encode(name, []))) == b""


@pytest.mark.parametrize("name", ENCODERS)
async def test_whole_answers_and_streams_are_encoded(client, name):
    asked = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
    for stream in (False, True):
        url, headers = "/openai/chat/completions", {"x-mock-encoding": name}
        answer = await client.post(url, json={**asked, "stream": stream}, headers=headers)
        plain = await client.post(url, json={**asked, "stream": stream})
        assert answer.headers["content-encoding"] == name
        assert answer.content == plain.content
