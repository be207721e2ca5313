// Writes what is derived from the sources: json/*.json from the zod schemas, docs/contract.md from schemas and registries.
// Run: node packages/decision-schema/scripts/generate.ts. A test fails while any of it is stale.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import {
  ActionItemSchema,
  ActionSchema,
  CONTEXT_KEY_REGISTRY,
  EXTERNAL_KEY_REGISTRY,
  ExecutionContextSchema,
  FinalDecisionSchema,
  MismatchInfoSchema,
  PacketV2Schema,
  ProposalSchema,
  RESERVED_NAMESPACES,
  SCHEMA_VERSION,
} from "../src/index.ts";
import { JsonObjectSchema } from "../src/json-schemas.ts";

const schemas = {
  Action: { file: "action", schema: ActionSchema, about: "What a decision may ask for." },
  ActionItem: {
    file: "action-item",
    schema: ActionItemSchema,
    about: "One action of a decision.",
    minimal: { action: "ACT" },
  },
  Proposal: {
    file: "proposal",
    schema: ProposalSchema,
    about: "What a model proposes, before the guards have seen it.",
    minimal: { action: "ACT", confidence: 1 },
  },
  MismatchInfo: {
    file: "mismatch-info",
    schema: MismatchInfoSchema,
    about: "What the guards held against a proposal.",
    minimal: {},
  },
  FinalDecision: {
    file: "final-decision",
    schema: FinalDecisionSchema,
    about: "What the guards decided; this is what EOC executes.",
    minimal: { action: "ACT" },
  },
  PacketV2: {
    file: "packet-v2",
    schema: PacketV2Schema,
    about: "The record of one decision step.",
    minimal: { run_id: "", step: 0, input: {}, external: {}, mdm: {}, final_action: {}, latency_ms: 0 },
  },
  ExecutionContext: {
    file: "execution-context",
    schema: ExecutionContextSchema,
    about: "The snapshot of the world that goes with a decision. Its documented keys are listed below.",
    minimal: {},
  },
} satisfies Record<string, { file: string; schema: z.ZodType; about: string; minimal?: object }>;

type SchemaName = keyof typeof schemas;

/** As much of a generated JSON Schema as the tables show. */
interface PropertySchema {
  type?: string | string[];
  enum?: string[];
  items?: PropertySchema;
  anyOf?: PropertySchema[];
  properties?: Record<string, PropertySchema>;
  required?: string[];
  minimum?: number;
  maximum?: number;
}

/** The generated files, by their path from the root of the repository. */
export function generatedFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const [name, { file }] of Object.entries(schemas)) {
    const text = JSON.stringify(jsonSchema(name as SchemaName), null, 2);
    files.set(`packages/decision-schema/json/${file}.json`, `${text}\n`);
  }
  files.set("docs/contract.md", contract());
  return files;
}

function jsonSchema(name: SchemaName) {
  const { schema, about } = schemas[name];
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      // zod checks these with a function of ours, which JSON Schema cannot show.
      if ((zodSchema as unknown) === JsonObjectSchema) jsonSchema.type = "object";
    },
  });
  return { $schema, title: name, description: about, ...rest };
}

function contract(): string {
  return `<!-- Written by packages/decision-schema/scripts/generate.ts. Do not edit. -->

# The contract

What the ecosystem stores and sends, version ${SCHEMA_VERSION}, and what EOC adds to it: several \`actions\` with their \`effect\` and \`idempotency_key\`, and the trace
keys introduced in 0.2.3. The single source is
\`@eoc/decision-schema\`; every JSON Schema ships with it as \`@eoc/decision-schema/json/<name>.json\`.

Objects may have keys that are not listed; they are kept. The last column says what an absent field is read as.

## Objects

${Object.keys(schemas)
  .map((name) => objectSection(name as SchemaName))
  .join("\n")}
## Trace keys

Keys of \`PacketV2.external\` that have a namespace. Reserved namespaces: ${RESERVED_NAMESPACES.map(code).join(", ")}.

${table(
  ["key", "owner", "introduced in", "what it says"],
  Object.entries(EXTERNAL_KEY_REGISTRY).map(([key, e]) => [code(key), e.owner, e.introduced_in, e.description]),
)}

## Context keys

A volatile key is left out of idempotency keys. Any other key may be added to a context.

${table(
  ["key", "type", "written by", "read by", "owner", "introduced in", "volatile", "what it says"],
  Object.entries(CONTEXT_KEY_REGISTRY).map(([key, e]) => [
    code(key),
    e.type,
    e.producer,
    e.consumer,
    e.owner,
    e.introduced_in,
    e.volatile ? "yes" : "no",
    e.description,
  ]),
)}
`;
}

function objectSection(name: SchemaName): string {
  const { file, schema, about, minimal } = { minimal: undefined, ...schemas[name] };
  const { properties, required = [], ...rest } = jsonSchema(name) as PropertySchema;
  const head = `### ${name}\n\n${about} [JSON Schema](../packages/decision-schema/json/${file}.json)\n`;
  if (!properties || !minimal) return `${head}\nOne of ${typeText(rest)}.\n`;
  const parsed = schema.parse(minimal) as Record<string, unknown>;
  const rows = Object.entries(properties).map(([field, property]) => {
    const absent = field in parsed ? code(JSON.stringify(parsed[field])) : "absent";
    return [code(field), typeText(property), required.includes(field) ? "required" : absent];
  });
  return `${head}\n${table(["field", "type", "when absent"], rows)}\n`;
}

function typeText(schema: PropertySchema): string {
  const { type = "anything", minimum, maximum, properties } = schema;
  if (schema.enum) return schema.enum.map(code).join(", ");
  if (schema.anyOf) return schema.anyOf.map(typeText).join(" or ");
  if (properties) return code(nameOf(properties));
  if (type === "array") return `list of ${typeText(schema.items!)}`;
  const from = minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? "" : ` from ${minimum}`;
  const to = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? "" : ` to ${maximum}`;
  return `${[type].flat().join(" or ")}${from}${to}`;
}

function nameOf(properties: object): string {
  const fields = (name: string) =>
    Object.keys((jsonSchema(name as SchemaName) as PropertySchema).properties ?? {}).join();
  return Object.keys(schemas).find((name) => fields(name) === Object.keys(properties).join())!;
}

function code(text: string): string {
  return `\`${text}\``;
}

// Columns are padded as Biome formats Markdown.
function table(head: string[], rows: string[][]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [head, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of generatedFiles()) {
    const file = new URL(`../../../${path}`, import.meta.url);
    mkdirSync(dirname(fileURLToPath(file)), { recursive: true });
    writeFileSync(file, text);
  }
}
