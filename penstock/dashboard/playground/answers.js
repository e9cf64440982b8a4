// What answers say, in whichever dialect they come: told by the shape of their JSON. Pure.

export class Answer {
  text = "";
  thought = "";
  failure = "";
  tools = []; // {name, arguments}, arguments as text

  // One JSON of the answer: all of it, or an event of its stream.
  read(told) {
    if (told === null || typeof told !== "object") return;
    if (Array.isArray(told)) told.forEach((one) => this.read(one));
    else if (told.error ?? (told.success === false && told.errors)) this.failure = sentence(told);
    else if (told.choices) told.choices.slice(0, 1).forEach((choice) => this.#choice(choice.delta ?? choice.message ?? choice));
    else if (told.candidates) (told.candidates[0]?.content?.parts ?? []).forEach((part) => this.#part(part));
    else if (typeof told.type === "string") this.#typed(told);
    else if (told.output?.message) (told.output.message.content ?? []).forEach((part) => this.#part(part));
    else if (told.message?.content) [told.message.content].flat().forEach((part) => this.#part(part));
    else if (told.result?.response !== undefined) this.text += told.result.response;
  }

  #choice({ content, text, reasoning_content: thought, reasoning, tool_calls: tools }) {
    if (Array.isArray(content)) content.forEach((part) => this.#part(part));
    else this.text += content ?? text ?? "";
    this.thought += thought ?? (typeof reasoning === "string" ? reasoning : "");
    for (const [place, tool] of (tools ?? []).entries()) {
      const at = this.#tool(`c${tool.index ?? place}`, tool.function?.name);
      at.arguments += tool.function?.arguments ?? "";
    }
  }

  #part(part) {
    if (typeof part === "string") this.text += part;
    else if (part.thought === true) this.thought += part.text ?? "";
    else if (part.functionCall) this.tools.push({ name: part.functionCall.name, arguments: JSON.stringify(part.functionCall.args ?? {}) });
    else if (part.toolUse ?? part.type === "tool_use") {
      const use = part.toolUse ?? part;
      this.tools.push({ name: use.name, arguments: JSON.stringify(use.input ?? {}) });
    } else if (part.type === "thinking") this.thought += part.thinking ?? "";
    else this.text += part.text ?? "";
  }

  // Anthropic's messages and OpenAI's responses name the type of everything.
  #typed(told) {
    const { type } = told;
    if (type === "message") (told.content ?? []).forEach((part) => this.#part(part));
    else if (type === "content_block_start" && told.content_block?.type === "tool_use") this.#tool(`b${told.index}`, told.content_block.name);
    else if (type === "content_block_delta") {
      this.text += told.delta?.text ?? "";
      this.thought += told.delta?.thinking ?? "";
      if (told.delta?.partial_json) this.#tool(`b${told.index}`).arguments += told.delta.partial_json;
    } else if (type === "response.output_text.delta") this.text += told.delta;
    else if (/^response\.reasoning(_summary)?_text\.delta$/.test(type)) this.thought += told.delta;
    else if (type === "response.output_item.added" && told.item?.type === "function_call") this.#tool(`r${told.output_index}`, told.item.name);
    else if (type === "response.function_call_arguments.delta") this.#tool(`r${told.output_index}`).arguments += told.delta;
    else if (type === "response.failed") this.failure = told.response?.error?.message ?? "The response failed.";
    else if (told.object === "response") this.#output(told.output ?? []);
  }

  #output(items) {
    for (const item of items) {
      if (item.type === "message") (item.content ?? []).forEach((part) => this.#part(part));
      else if (item.type === "function_call") this.tools.push({ name: item.name, arguments: item.arguments ?? "" });
      else if (item.type === "reasoning") this.thought += (item.summary ?? []).map((part) => part.text ?? "").join("\n");
    }
  }

  #tool(key, name) {
    let tool = this.tools.find((one) => one.key === key);
    if (!tool) this.tools.push((tool = { key, name: "", arguments: "" }));
    if (name) tool.name = name;
    return tool;
  }

  // A whole answer of a Response comes with an object's name and no type.
  whole(told) {
    if (told?.object === "response") this.#output(told.output ?? []);
    else this.read(told);
  }
}

function sentence(told) {
  const error = told.error ?? told.errors?.[0] ?? told;
  const message = typeof error === "string" ? error : Array.isArray(error) ? error[0]?.message : error.message;
  return message ?? JSON.stringify(error);
}

// Cuts a stream of server-sent events; takes text as it comes, gives the data of each whole event.
export class Events {
  #rest = "";

  take(text) {
    const parts = (this.#rest + text).split(/\r?\n\r?\n/);
    this.#rest = parts.pop();
    return parts.map((part) =>
      part.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).replace(/^ /, "")).join("\n"),
    ).filter((data) => data && data !== "[DONE]");
  }
}
