import type { Contestant, Work } from "../contest.ts";
import { verify } from "../contest.ts";
import { leanClone, naiveRedact } from "../floors/clone.ts";
import { aRecord, SECRETS } from "./documents.ts";

const DOCUMENTS = 64;

type Redact = (value: unknown) => unknown;

function leaksOf(text: string): number {
  return SECRETS.filter((secret) => text.includes(secret)).length;
}

/** Redacts one document after the other; what came of each is looked at once, before time counts. */
function redacting(make: (number: number) => unknown, redact: Redact): Contestant {
  const documents = Array.from({ length: DOCUMENTS }, (_, number) => make(number + 1));
  const text = JSON.stringify(documents[0]);
  verify(leaksOf(text) === SECRETS.length, "a document");
  const shape = (value: unknown) => Object.keys(value as object).length;
  let turn = 0;
  return {
    run(count) {
      for (let i = 0; i < count; i++) {
        const document = documents[turn++ % DOCUMENTS]!;
        const copy = redact(document);
        verify(shape(copy) >= shape(document) && copy !== document, "a redactor");
      }
    },
    gauges: {
      leaks: () => documents.reduce<number>((sum, document) => sum + leaksOf(JSON.stringify(redact(document))), 0),
      kB: () => text.length / 1000,
    },
  };
}

function redaction(name: string, title: string, make: (number: number) => unknown, shows: Work["shows"]): Work {
  return {
    name,
    title,
    operation: "document",
    floor: "lean clone",
    withoutBytes: true,
    contestants: {
      // Masks three names, and looks at no text: it leaks what stands there.
      "lean clone": () => redacting(make, leanClone),
      "naive recursive clone": () => redacting(make, naiveRedact),
      EOC: async () => {
        const { createRedactor } = await import("@eoc/core");
        return redacting(make, createRedactor().redact);
      },
      ...(name === "redaction" ? rivals(make) : undefined),
    },
    shows,
  };
}

function rivals(make: (number: number) => unknown): Work["contestants"] {
  return {
    // Only the paths that it is told, and in place: it is handed a copy of the roots that it writes to.
    "@pinojs/redact, exact paths": async () => {
      const { default: fastRedact } = await import("@pinojs/redact");
      const redact = fastRedact({
        paths: ["request.headers.authorization", "customer.password", "notes[1]"],
        serialize: false,
      });
      return redacting(make, (value) => redact(value as object));
    },
    "deep-redact": async () => {
      const { DeepRedact } = await import("@hackylabs/deep-redact");
      const redactor = new DeepRedact({
        blacklistedKeys: ["password", "secret", "token", "authorization", "api_key", "cookie"],
        stringTests: [/\bapi_key=\S+/, /\bBearer\s+\S+/],
      });
      return redacting(make, (value) => redactor.redact(value));
    },
  };
}

const batch = (number: number) => Array.from({ length: 100 }, (_, place) => aRecord(number * 100 + place));

export const redactions: readonly Work[] = [
  redaction("redaction", "Redaction of a record of 2 KB", aRecord, [
    {
      show: 5,
      what: "2 KB beside a naive recursive clone",
      value: (r) => r.ratio("EOC", "naive recursive clone"),
      atMost: 0.25,
    },
    { show: 5, what: "2 KB beside a lean clone", value: (r) => r.ratio("EOC", "lean clone"), atMost: 1.8 },
    { show: 5, what: "secrets left in 64 records", value: (r) => r.gauge("EOC", "leaks"), atMost: 0, unit: "" },
  ]),
  redaction("redaction-200k", "Redaction of a list of 100 records, 200 KB", batch, [
    {
      show: 5,
      what: "200 KB beside a naive recursive clone",
      value: (r) => r.ratio("EOC", "naive recursive clone"),
      atMost: 0.3,
    },
    { show: 5, what: "secrets left in 6,400 records", value: (r) => r.gauge("EOC", "leaks"), atMost: 0, unit: "" },
  ]),
];
