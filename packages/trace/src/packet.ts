import {
  checkOptionNames,
  createRedactor,
  type ExecutionReport,
  type RedactionEntry,
  type RedactionManifest,
  type Redactor,
} from "@eoc/core";
import {
  type ExecutionContext,
  type FinalDecisionInput,
  FinalDecisionSchema,
  finalDecisionToDict,
  mismatchInfoToDict,
  type PacketV2,
  type ProposalInput,
  ProposalSchema,
  packetFromDict,
  proposalToDict,
  SchemaError,
  type SchemaErrorCode,
  toIssues,
} from "@eoc/decision-schema";
import { checkMethods, checkOption, isRecord } from "./check-option.js";
import { checkReport } from "./check-report.js";
import { addExecutionTrace, withoutExtendedKeys } from "./external.js";
import { type TraceProfile, wholeMs } from "./trace-profile.js";

/** What a packet is built from: a step of a run, what was decided in it, and the report of what was done. See {@link buildPacket}. */
export interface BuildPacketInput {
  runId: string;
  /** Which step of the run. */
  step: number;
  /** What the step was about: a JSON object. */
  input: Readonly<Record<string, unknown>>;
  /** The context that the decision was executed with. */
  context: ExecutionContext;
  /** What the model had proposed. @defaultValue none: `mdm` is `{}` */
  proposal?: ProposalInput | undefined;
  decision: FinalDecisionInput;
  report: ExecutionReport;
  /** @defaultValue core's `createRedactor()` */
  redactor?: Redactor;
  /** Of the `exec.*` keys. @defaultValue "extended" */
  profile?: TraceProfile;
}

const OPTIONS = {
  runId: true,
  step: true,
  input: true,
  context: true,
  proposal: true,
  decision: true,
  report: true,
  redactor: true,
  profile: true,
} as const satisfies Record<keyof BuildPacketInput, true>;

/** Whoever misspells `redactor` must not hear of it from the packet. */
function checkInput(input: BuildPacketInput): void {
  checkOptionNames(input, OPTIONS);
  const { runId, context, report, redactor } = input;
  checkOption(typeof runId === "string", "runId", "a text", runId);
  checkOption(isRecord(context), "context", "an object", context);
  checkReport(report);
  if (redactor !== undefined) checkMethods("redactor", redactor, "redact", "redactWithManifest");
}

/**
 * The packet of one executed step: `mdm` is the proposal, `final_action` the decision, both in wire form; `external` is the
 * context with the `exec.*` keys; `latency_ms` and the counts are the report's. A redacted copy: see
 * {@link buildPacketWithManifest}, which also says what was masked.
 *
 * @throws {SchemaError} `invalid_decision`, `invalid_proposal` or `invalid_packet`
 * @throws EocError `invalid_option`, also for what is no report
 */
export function buildPacket(input: BuildPacketInput): PacketV2 {
  return buildPacketWithManifest(input).packet;
}

/**
 * {@link buildPacket}, and the manifest of what was masked: a JSON pointer into the packet, and why, for every place.
 *
 * What EOC itself measured is never masked: `step`, `latency_ms` and `exec.*` but `exec.execution_id`, which the caller chose. Nor is
 * a number of the context whose name says that it is a measure, such as `max_tokens`, unless the redactor was told to mask that name
 * or that number.
 */
export function buildPacketWithManifest(input: BuildPacketInput): { packet: PacketV2; manifest: RedactionManifest } {
  checkInput(input);
  const { report, profile = "extended" } = input;
  const redactor = input.redactor ?? createRedactor();
  const decision = parsed(FinalDecisionSchema, "invalid_decision", input.decision);
  const proposal = input.proposal && parsed(ProposalSchema, "invalid_proposal", input.proposal);
  // No secret can be in what comes from counters, clocks, hashes and closed lists of words.
  const { "exec.execution_id": id, ...counted } = addExecutionTrace({}, report, { profile });
  const external: Record<string, unknown> = {
    ...withoutExtendedKeys(input.context),
    ...(id === undefined ? undefined : { "exec.execution_id": id }),
    ...counted,
  };
  const measured = { step: input.step, latency_ms: wholeMs(report.totalLatencyMs) };
  const { value, manifest } = redactor.redactWithManifest({
    run_id: input.runId,
    ...measured,
    input: input.input,
    external,
    mdm: proposal ? proposalToDict(proposal) : {},
    final_action: finalDecisionToDict(decision),
    mismatch: decision.mismatch ? mismatchInfoToDict(decision.mismatch) : null,
  });
  const redacted = value as Record<string, unknown>;
  const measures = new Set(manifest.filter(isOfMeasure).map(({ pointer }) => pointer));
  const kept = Object.entries(external).filter(
    ([key, value]) => Object.hasOwn(counted, key) || (measures.has(pointerTo(key)) && isOpenNumber(value, redactor)),
  );
  const packet = packetFromDict({
    ...redacted,
    ...measured,
    external: { ...(redacted["external"] as object), ...Object.fromEntries(kept) },
  });
  const restored = new Set(["/step", "/latency_ms", ...kept.map(([key]) => pointerTo(key))]);
  return { packet, manifest: manifest.filter(({ pointer }) => !restored.has(pointer)) };
}

function pointerTo(key: string): string {
  return `/external/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** Names of quantities. */
const MEASURE =
  /^(max|min|num|n|total)_|_(ms|s|count|counts|limit|budget|rate|ratio|usage|used|remaining|score|size|length|total|price|amount|window)$/;

/** Of the built-in rules, those for names of things that are counted. */
const COUNTED = /^(token|key|auth|cookie|jwt)$/;

/** Names of what is secret as a number too, however many things are counted beside it. */
const NEVER_COUNTED =
  /password|passphrase|passcode|passwd|secret|credential|private|(^|_)(pass|pwd|pw|t?otp|pin|cv[cv])(_|$)/i;

/** Whether a built-in rule masked a member of the context for its name, although the name is that of a quantity. */
function isOfMeasure({ pointer, by, rule }: RedactionEntry): boolean {
  const name = pointer.replace("/external/", "");
  return by === "key" && COUNTED.test(rule) && MEASURE.test(name) && !NEVER_COUNTED.test(name);
}

/** Whether it is a number that the redactor shows under any name: not one that was declared a secret. */
function isOpenNumber(value: unknown, redactor: Redactor): boolean {
  return typeof value === "number" && redactor.redact(value) === value;
}

/** Parses with the error that the rest of the contract has. */
function parsed<T>(schema: Schema<T>, code: SchemaErrorCode, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new SchemaError(code, toIssues(result.error, value));
}

interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: Parameters<typeof toIssues>[0] };
}
