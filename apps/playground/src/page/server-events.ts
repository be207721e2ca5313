/** Reads a stream of server-sent events to its end. `EventSource` cannot send a token. */
export async function readEvents<T>(
  path: string,
  headers: Record<string, string>,
  onEvent: (event: T) => void,
): Promise<void> {
  const response = await fetch(path, { headers });
  if (!response.ok || response.body === null) throw new Error(`the server says ${response.status}`);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + decoder.decode(value, { stream: true })).split(/\n\n/);
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const data = part.split("\n").filter((line) => line.startsWith("data:"));
      if (data.length > 0) onEvent(JSON.parse(data.map((line) => line.slice(5).trimStart()).join("\n")) as T);
    }
  }
}
