"""Images, documents, videos and sounds in a request of Converse: always as bytes, or as objects of Amazon S3.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html and its like
"""

import re
from base64 import b64encode

from penstock.core.errors import MalformedChat
from penstock.model.chat import Media, Notes
from penstock.providers.dialects.bedrock_converse.chat.words import Json

_OFFICE = "application/vnd.openxmlformats-officedocument."
_FORMATS = {  # by media type
    "image": {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"},
    "document": {
        "application/pdf": "pdf",
        "text/csv": "csv",
        "application/msword": "doc",
        f"{_OFFICE}wordprocessingml.document": "docx",
        "application/vnd.ms-excel": "xls",
        f"{_OFFICE}spreadsheetml.sheet": "xlsx",
        "text/html": "html",
        "text/plain": "txt",
        "application/json": "txt",
        "text/markdown": "md",
    },
    "video": {
        "video/mp4": "mp4",
        "video/quicktime": "mov",
        "video/x-matroska": "mkv",
        "video/webm": "webm",
        "video/x-flv": "flv",
        "video/mpeg": "mpeg",
        "video/x-ms-wmv": "wmv",
        "video/3gpp": "three_gp",
    },
    "audio": {
        "audio/mp3": "mp3",
        "audio/mpeg": "mp3",
        "audio/wav": "wav",
        "audio/x-wav": "wav",
        "audio/flac": "flac",
        "audio/aac": "aac",
        "audio/ogg": "ogg",
        "audio/opus": "opus",
        "audio/mp4": "m4a",
        "audio/webm": "webm",
        "audio/pcm16": "pcm",
    },
}
_UNTOLD = {"image": "png", "document": "pdf", "video": "mp4", "audio": "mp3"}
_NAMED = re.compile(r"[^0-9A-Za-z \-()\[\]]+")  # what a document's name may not have
_LONG = 150  # characters of such a name


def block_of(part: Media, names: set[str], notes: Notes) -> Json:
    """``names``: of the documents so far. Raises MalformedChat for what cannot be sent."""
    if part.detail not in ("", "auto"):
        notes.lost("messages[].content[].image_url.detail")
    told: Json = {"format": _format(part), "source": _source(part)}
    if part.kind == "document":
        told["name"] = _name(part.name, names)
    return {part.kind: told}


def _format(part: Media) -> str:
    known = _FORMATS[part.kind]
    if part.text:
        return known.get(part.type, "txt")
    kind = part.type.partition(";")[0].lower()
    if (found := known.get(kind)) is not None:
        return found
    named = (part.name or part.url).rpartition(".")[2].lower()
    if kind in ("", "application/octet-stream"):
        return named if named in known.values() else _UNTOLD[part.kind]
    takes = ", ".join(dict.fromkeys(known.values()))
    raise MalformedChat(
        f"messages[].content[]: {part.kind} of {kind[:_LONG]} cannot be sent to Bedrock, send one of {takes}."
    )


def _source(part: Media) -> Json:
    if part.data:
        return {"bytes": part.data}
    if part.text:
        return {"bytes": b64encode(part.text.encode("utf-8", "replace")).decode()}
    if part.url.startswith("s3://"):
        return {"s3Location": {"uri": part.url}}
    how = "by URL" if part.url else "that another provider keeps"
    member = "messages[].content[].image_url" if part.kind == "image" else "messages[].content[]"
    raise MalformedChat(f"{member}: {part.kind} {how} cannot be sent to Bedrock, send its bytes.")


def _name(told: str, names: set[str]) -> str:
    """As the dialect has names, and unlike the others."""
    plain = " ".join(_NAMED.sub(" ", told).split())[:_LONG] or "document"
    name, number = plain, 1
    while name in names:
        number += 1
        name = f"{plain} {number}"
    names.add(name)
    return name
