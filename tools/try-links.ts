// Tries what the pages name outside of the repository: `pnpm check:links`. What answers has to answer well; what cannot be reached is said, and fails nothing.
import { commandsOf, outsideLinks, type Page, readPages } from "./check-links.ts";
import { run } from "./local-registry.ts";

/** What came of asking. */
export type Answer = { readonly status: number } | { readonly unreachable: string };

/** `unreachable` is no fault of the pages. */
export function judge(answer: Answer): "ok" | "broken" | "unreachable" {
  if ("unreachable" in answer) return "unreachable";
  return answer.status < 400 ? "ok" : "broken";
}

/** The packages that pages say to install, without those of this repository. */
export function namesIn(pages: readonly Page[]): string[] {
  const installs = pages.flatMap(({ text }) => commandsOf(text)).filter((command) => /^npm (install|i) /.test(command));
  const names = installs.flatMap((command) => command.split(/\s+/).slice(2)).filter((word) => /^[@a-z]/.test(word));
  const plain = names.map((name) => name.replace(/(.)@.*$/, "$1")).filter((name) => !name.startsWith("@eoc/"));
  return [...new Set(plain)].sort();
}

async function askLink(url: string): Promise<Answer> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(10_000),
      headers: { "user-agent": "eoc check:links" },
    });
    await response.body?.cancel();
    return { status: response.status };
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    return { unreachable: cause?.code ?? message };
  }
}

async function askRegistry(name: string): Promise<Answer> {
  return run("npm", ["view", name, "name"], process.cwd()).then(
    () => ({ status: 200 }),
    ({ message }: Error) =>
      /\bE404\b/.test(message) ? { status: 404 } : { unreachable: /\bE[A-Z]+/.exec(message)?.[0] ?? "?" },
  );
}

if (process.argv[1] === import.meta.filename) {
  const pages = readPages();
  const asked = await Promise.all([
    ...outsideLinks(pages).map(async (url) => [url, await askLink(url)] as const),
    ...namesIn(pages).map(async (name) => [`npm package ${name}`, await askRegistry(name)] as const),
  ]);
  for (const [what, answer] of asked)
    console.log(`${judge(answer).padEnd(11)} ${what} (${"status" in answer ? answer.status : answer.unreachable})`);
  process.exitCode = asked.some(([, answer]) => judge(answer) === "broken") ? 1 : 0;
}
