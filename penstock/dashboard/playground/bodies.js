// Bodies of requests by surface. Pure: what the form says in, the JSON of a call out.

const optional = (members) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null && value !== ""));

const BODIES = {
  chat: (asked) => ({
    model: asked.model,
    messages: [...(asked.system ? [{ role: "system", content: asked.system }] : []), ...asked.turns],
    ...optional({ temperature: asked.temperature, top_p: asked.topP, max_tokens: asked.maxTokens, tools: asked.tools }),
    ...(asked.stream ? { stream: true } : {}),
  }),
  messages: (asked) => ({
    model: asked.model,
    max_tokens: asked.maxTokens ?? 1024, // the dialect wants a number
    messages: asked.turns,
    ...optional({ system: asked.system, temperature: asked.temperature, top_p: asked.topP, tools: asked.tools }),
    ...(asked.stream ? { stream: true } : {}),
  }),
  responses: (asked) => ({
    model: asked.model,
    input: asked.turns,
    ...optional({
      instructions: asked.system, temperature: asked.temperature, top_p: asked.topP,
      max_output_tokens: asked.maxTokens, tools: asked.tools,
    }),
    ...(asked.stream ? { stream: true } : {}),
  }),
  gemini: (asked) => {
    const settings = optional({ temperature: asked.temperature, topP: asked.topP, maxOutputTokens: asked.maxTokens });
    return {
      ...(asked.system ? { systemInstruction: { parts: [{ text: asked.system }] } } : {}),
      contents: asked.turns.map(({ role, content }) => ({ role: role === "assistant" ? "model" : "user", parts: [{ text: content }] })),
      ...(Object.keys(settings).length ? { generationConfig: settings } : {}),
      ...optional({ tools: asked.tools }),
    };
  },
  embeddings: (asked) => ({ model: asked.model, input: asked.turns.map((turn) => turn.content) }),
};

// {path, body}: where the call goes below the gateway, and what it sends. Throws an Error with a sentence.
export function call(asked) {
  if (asked.kind === "own") {
    if (!asked.path) throw new Error("The path is empty.");
    return { path: asked.path.replace(/^\/+/, ""), body: json(asked.body || "{}", "The body") };
  }
  if (!asked.model) throw new Error("No model is named.");
  let path = asked.path.replace("{model}", encodeURI(asked.model));
  if (asked.kind === "gemini" && asked.stream) path = path.replace(/:generateContent$/, ":streamGenerateContent?alt=sse");
  return { path, body: { ...BODIES[asked.kind](asked), ...asked.more } };
}

export function json(text, name) {
  if (!text.trim()) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${name}: not JSON: ${error.message}`);
  }
}
