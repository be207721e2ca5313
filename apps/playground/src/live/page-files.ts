import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { LIVE_META, type LiveOffer } from "./wire.js";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

/** Serves the built page, and tells it what the server offers. Only names that a build makes lead anywhere. */
export function createPageFiles(folder: URL, offer: LiveOffer): (pathname: string) => Promise<Response> {
  return async (pathname) => {
    const name = pathname === "/" ? "index.html" : pathname.slice(1);
    if (!/^(index\.html|assets\/[\w-]+\.(js|css))$/.test(name)) return new Response(null, { status: 404 });
    try {
      const file = await readFile(new URL(name, folder), "utf8");
      const body = name === "index.html" ? withOffer(file, offer) : file;
      const type = TYPES[extname(name)] ?? "text/plain";
      return new Response(body, {
        headers: { "content-type": type, "cache-control": "no-store", "x-content-type-options": "nosniff" },
      });
    } catch {
      return new Response("The page is not built: pnpm build:page", { status: 404 });
    }
  };
}

function withOffer(html: string, offer: LiveOffer): string {
  const content = JSON.stringify(offer).replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return html.replace("</head>", `<meta name="${LIVE_META}" content="${content}" />\n  </head>`);
}
