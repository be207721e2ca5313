import * as z from "zod";
import { isCompatible, SCHEMA_VERSION } from "./compat.ts";
import { JsonObjectSchema, TextSchema, UnknownValueSchema } from "./json-schemas.ts";
import { parseLoose, parseStrict, toWire } from "./wire-form.ts";

const SchemaVersionSchema = /* @__PURE__ */ (() =>
  z
    .string()
    .refine((version) => isCompatible(version, { major: 0, minMinor: 2, maxMinor: 2 }), "a version 0.2.x")
    .default(SCHEMA_VERSION))();

/**
 * The record of one decision step that travels between the cores. `input`, `external`, `mdm` and `final_action` are snapshots,
 * JSON objects without a shape of their own. `schema_version` must be one that this package reads, 0.2.x. Unknown keys are kept.
 */
export const PacketV2Schema = /* @__PURE__ */ (() =>
  z
    .object({
      run_id: TextSchema,
      step: z.int(),
      input: JsonObjectSchema,
      external: JsonObjectSchema,
      mdm: JsonObjectSchema,
      final_action: JsonObjectSchema,
      latency_ms: z.int().min(0),
      mismatch: JsonObjectSchema.nullable().default(null),
      schema_version: SchemaVersionSchema,
    })
    .catchall(UnknownValueSchema))();

/** The record of one decision step, with every default filled in. */
export type PacketV2 = z.infer<typeof PacketV2Schema>;

/** The record of one decision step, as it may be written: what has a default may be left out. */
export type PacketV2Input = z.input<typeof PacketV2Schema>;

/**
 * Reads a packet as the reference does: keys that a packet does not have are refused. Never changes `data`.
 *
 * @param options `unknownKeys: "keep"` keeps such keys, to hand on a packet that somebody else has extended.
 * @throws {SchemaError} `invalid_packet`, whatever `data` is
 */
export function packetFromDict(data: unknown, options: { unknownKeys?: "refuse" | "keep" } = {}): PacketV2 {
  return (options.unknownKeys === "keep" ? parseLoose : parseStrict)(PacketV2Schema, "invalid_packet", data);
}

/**
 * The reference's wire form: its key order, `null` for what is absent, unknown keys last; without a `schema_version` that of this
 * package. Never changes `packet`; the snapshots are shared.
 */
export function packetToDict(packet: PacketV2Input): Record<string, unknown> {
  return toWire({ ...packet, schema_version: packet.schema_version ?? SCHEMA_VERSION }, [
    "run_id",
    "step",
    "input",
    "external",
    "mdm",
    "final_action",
    "latency_ms",
    "mismatch",
    "schema_version",
  ]);
}
