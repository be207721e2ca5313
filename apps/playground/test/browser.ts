import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

const folder = new URL("../dist-page/", import.meta.url).pathname;
/** Kept after the tests, for people to look at; ignored by git. */
const screenshots = new URL("../out/screenshots/", import.meta.url).pathname;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
};

/** The browser there is, if any. */
const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

/** Whether tests of the page are to be skipped. Where everything has to be tested, they fail instead. */
export const isBrowserMissing =
  browserPath === undefined && process.env["EOC_NEEDS_BROWSER"] === undefined && process.env["CI"] === undefined;

/** Asks until it is so; on a busy machine that may take a while. */
export function eventually<T>(ask: () => T | Promise<T>): ReturnType<typeof expect.poll<T>> {
  return expect.poll(ask, { timeout: 30_000, interval: 20 });
}

export interface PageOptions {
  colorScheme?: "light" | "dark";
  reducedMotion?: "reduce" | "no-preference";
  forcedColors?: "active" | "none";
  width?: number;
  height?: number;
}

/** A page that shares nothing with others, and everything that went wrong in it. */
export interface OpenPage {
  readonly page: Page;
  /** Errors of the console, uncaught exceptions, failed requests, and requests that leave the server. */
  readonly troubles: readonly string[];
  shoot(name: string, options?: { fullPage?: boolean }): Promise<void>;
}

/** The built page on a static server, and browsers that look at it. */
export interface Site {
  readonly origin: string;
  open(path?: string, options?: PageOptions): Promise<OpenPage>;
  close(): Promise<void>;
}

/** Serves `dist-page` as any static host would, or uses the server at `origin`. */
export async function openSite(origin?: string): Promise<Site> {
  if (!existsSync(join(folder, "index.html"))) throw new Error("the page is not built: npx pnpm@12.21.0 build");
  const server = origin === undefined ? await serveFiles() : undefined;
  const base = origin ?? `http://127.0.0.1:${(server!.address() as AddressInfo).port}`;
  // Started with a profile of its own, which goes when it does.
  let browser: Browser | undefined;
  return {
    origin: base,
    async open(
      path = "/",
      {
        colorScheme = "light",
        reducedMotion = "no-preference",
        forcedColors = "none",
        width = 1280,
        height = 900,
      } = {},
    ) {
      browser ??= await chromium.launch({
        executablePath: browserPath ?? "no browser found",
        headless: true,
        args: [
          ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
        ],
      });
      const context = await browser.newContext({
        colorScheme,
        reducedMotion,
        forcedColors,
        viewport: { width, height },
        permissions: ["clipboard-read", "clipboard-write"],
      });
      const page = await context.newPage();
      const troubles = troublesOf(page, base);
      await page.goto(base + path);
      return {
        page,
        troubles,
        shoot: async (name, options = {}) => {
          await mkdir(screenshots, { recursive: true });
          await page.screenshot({ path: join(screenshots, `${name}.png`), ...options });
        },
      };
    },
    async close() {
      await browser?.close();
      server?.closeAllConnections();
      await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
    },
  };
}

function troublesOf(page: Page, origin: string): string[] {
  const troubles: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") troubles.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => troubles.push(`uncaught: ${error.message}`));
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText;
    // Chromium calls a stream aborted that the page has read to its end; what was really cut off is an error of the page's.
    if (reason === "net::ERR_ABORTED" && /\/(world|events)$/.test(request.url())) return;
    troubles.push(`failed: ${request.url()} ${reason}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(data|blob):/.test(url)) troubles.push(`left the page: ${url}`);
  });
  return troubles;
}

async function serveFiles(): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    readFile(file).then(
      (bytes) => response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "text/plain" }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
