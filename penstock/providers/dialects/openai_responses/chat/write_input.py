"""Items of the input, for requests."""

from typing import Any

from penstock.core.errors import MalformedChat
from penstock.model.chat import Call, Citation, Media, Native, Notes, Part, Reasoning, Refusal, Result, Text, Turn
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects.openai_responses.chat.words import NAME
from penstock.providers.dialects.openai_responses.chat.write_items import annotation

Json = dict[str, Any]
_SPOKEN = (Text, Media, Refusal)


class Input:
    """Writes turns. ``own``: they are of this dialect, and what it alone has comes back."""

    def __init__(self, notes: Notes, *, own: bool) -> None:
        self._notes = notes
        self._own = own

    def items(self, turns: list[Turn]) -> list[Json]:
        """One or more items a turn; results of tools come before what else their turn has."""
        items: list[Json] = []
        for turn in turns:
            items += [self._result(part) for part in turn.content if type(part) is Result]
            if turn.role == "assistant":
                items += self._said(turn)
            elif parts := [part for part in turn.content if type(part) is not Result]:
                items += self._message(turn, parts)
            elif self._own and turn.role != "tool":
                items += self._message(turn, [])
        return items

    def _message(self, turn: Turn, parts: list[Part]) -> list[Json]:
        said = turn.role == "assistant"
        content: Any = [told for part in parts if (told := self._part(part, said=said)) is not None]
        if not content and not self._own:
            return []
        if len(content) == 1 and not said and content[0].keys() == {"type", "text"}:
            content = content[0]["text"]
        role = turn.role if turn.role != "tool" else "user"
        return [{"type": "message", "role": role, "content": content or "", **self._extra(turn.extra)}]

    def _said(self, turn: Turn) -> list[Json]:
        """What the assistant said: texts that follow each other are one message."""
        items: list[Json] = []
        words: list[Part] = []
        for part in turn.content:
            if type(part) in _SPOKEN and not self._drawn(part):
                words.append(part)
                continue
            if words:
                items += self._message(turn, words)
                words = []
            if type(part) is not Result and (item := self._item(part)) is not None:
                items.append(item)
        if words or (self._own and not turn.content):
            items += self._message(turn, words)
        return items

    def _drawn(self, part: Part) -> bool:
        return self._own and type(part) is Media and part.kind == "image"

    def _item(self, part: Part) -> Json | None:
        match part:
            case Call():
                name, text = ("custom_tool_call", "input") if part.free else ("function_call", "arguments")
                arguments = part.arguments or ("" if part.free or self._own else "{}")
                told = {"type": name, "call_id": part.id, "name": part.name, text: arguments}
                return {**told, **self._extra(part.extra)}
            case Reasoning():
                return self._reasoning(part)
            case Media():
                return {"type": "image_generation_call", "result": part.data, **self._extra(part.extra)}
            case Native() if part.dialect == NAME:
                return part.value
            case Native():
                self._notes.lost(f"content[type={part.kind}]")
            case _:
                pass
        return None

    def _reasoning(self, part: Reasoning) -> Json | None:
        """Thinking of this dialect alone: of another, nothing could be verified."""
        if part.origin != NAME and (not self._own or part.signature or part.sealed):
            return None
        told = {
            "type": "reasoning",
            "id": part.id or None,
            "summary": [{"type": "summary_text", "text": part.text}] if part.text else [],
            "encrypted_content": part.sealed or None,
        }
        return written(told, self._extra(part.extra))

    def _result(self, part: Result) -> Json:
        if part.failed:
            self._notes.lost("is_error of a tool's result")
        content: Any = [told for one in part.content if (told := self._part(one, said=False)) is not None]
        if len(content) == 1 and content[0].keys() == {"type", "text"}:
            content = content[0]["text"]
        kind = "custom_tool_call_output" if part.free else "function_call_output"
        told = {"type": kind, "call_id": part.call, "output": content or ""}
        if self._own:
            told |= written({"name": part.name or None}, part.extra)
        return told

    def _part(self, part: Part, *, said: bool) -> Json | None:  # noqa: PLR0911  a table
        """A part of a message or of a result. ``said``: by the assistant."""
        match part:
            case Text():
                if not (part.text or self._own):
                    return None
                if not said:
                    return {"type": "input_text", "text": part.text, **self._extra(part.extra)}
                annotations = [self._annotation(one, part.text) for one in part.citations or () if self._own]
                text = {"type": "output_text", "text": part.text, "annotations": annotations}
                return {**text, **self._extra(part.extra)}
            case Refusal():
                return {"type": "refusal", "refusal": part.text, **self._extra(part.extra)}
            case Media() if said and not self._own:
                self._notes.lost(f"content[{part.kind}] of an assistant")
            case Media():
                return {**self._media(part), **self._extra(part.extra)}
            case Native() if part.dialect == NAME:
                return part.value
            case Native():
                self._notes.lost(f"content[type={part.kind}]")
            case _:
                self._notes.lost(f"content[{type(part).__name__.lower()}]")
        return None

    def _annotation(self, cited: Citation, text: str) -> Json:
        return {**(annotation(cited, len(text)) or {}), **self._extra(cited.extra)}

    def _media(self, part: Media) -> Json:
        if part.file and not self._own:
            raise MalformedChat(f"a {part.kind} that is a file of another provider cannot be sent: send its bytes.")
        if part.text:
            return {"type": "input_text", "text": part.text}
        if part.kind == "image":
            url = part.url or (f"data:{part.type or 'image/png'};base64,{part.data}" if part.data else None)
            detail = part.detail or (None if self._own else "auto")
            return written({"type": "input_image", "image_url": url, "file_id": part.file or None, "detail": detail})
        if part.kind == "audio" and not part.url:
            form = part.type.partition("/")[2]
            form = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav"}.get(form, form)
            return {"type": "input_audio", "input_audio": {"data": part.data, "format": form}}
        if part.kind in ("audio", "video"):
            raise MalformedChat(f"{part.kind} cannot be sent in OpenAI responses{_BYTES.get(part.kind, '.')}")
        name = part.name or ("document.pdf" if part.data and not self._own else None)
        told = {
            "type": "input_file",
            "file_data": self._data(part) if part.data else None,
            "file_url": part.url or None,
            "file_id": part.file or None,
            "filename": name,
        }
        return written(told)

    def _data(self, part: Media) -> str:
        """A data URL, or as it came."""
        return part.data if self._own and not part.type else f"data:{part.type or 'application/pdf'};base64,{part.data}"

    def _extra(self, extra: Json | None) -> Json:
        return extra if extra is not None and self._own else {}


_BYTES = {"audio": " by URL: send its bytes."}
