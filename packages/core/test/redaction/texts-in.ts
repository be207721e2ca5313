/** Every string in a value, keys included, however deep it is. */
export function textsIn(root: unknown): string[] {
  const texts: string[] = [];
  const pending: unknown[] = [root];
  const seen = new Set<unknown>();
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== "object" || value === null) {
      texts.push(String(value));
      continue;
    }
    if (seen.has(value)) continue;
    seen.add(value);
    const isCollection = value instanceof Map || value instanceof Set;
    for (const member of isCollection ? value.entries() : Object.entries(value)) pending.push(...member);
  }
  return texts;
}
