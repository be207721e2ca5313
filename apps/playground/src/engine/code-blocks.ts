import type { Met } from "./network.js";
import type { PlaySetup } from "./play-setup.js";
import { pretty } from "./play-texts.js";
import { executionIdOf, RECONCILE_MS } from "./run-eoc.js";

/** The lines that run a setup against what its requests met, ending in `report`, and what they import. */
export interface WrittenRun {
  readonly imports: { readonly core: string[]; readonly testkit: string[] };
  readonly lines: string[];
}

export function writeRun(setup: PlaySetup, met: readonly Met[]): WrittenRun {
  const isHalted = setup.haltAtMs !== undefined;
  const isAborted = met.some(({ call }) => call.abortedWith !== undefined);
  const isCrashing = met.some(({ reply }) => reply.crash);
  const steps = met.map(({ step }) => step.text.slice(0, step.text.indexOf("(")));
  return {
    imports: {
      core: [
        "createMemoryIdempotencyStore",
        "createMemoryRateLimiter",
        "type ExecuteFn",
        "type ExecutionPolicyInput",
        "execute",
        "type FinalDecisionInput",
        ...(isHalted ? ["createManualKillSwitch"] : []),
        ...(isCrashing ? ["type Clock", "type ExecutionReport"] : []),
      ],
      testkit: ["createScriptedExecutor", "createVirtualClock", "createWorld", "type ScriptedStep", ...new Set(steps)],
    },
    lines: [
      "const clock = createVirtualClock();",
      `const world = createWorld(${setup.world.honoursIdempotencyKey ? "{ dedupe: true }" : ""});`,
      ...`const decision: FinalDecisionInput = ${pretty(setup.decision)};`.split("\n"),
      ...`const policy: ExecutionPolicyInput = ${pretty(setup.policy)};`.split("\n"),
      "",
      ...(isAborted ? abortedSend(met) : plainSend(met)),
      ...(setup.reconcile ? RECONCILE : []),
      ...(isHalted
        ? [
            "const killSwitch = createManualKillSwitch();",
            `clock.setTimer(() => killSwitch.halt("the red button"), ${setup.haltAtMs});`,
          ]
        : []),
      "const ports = {",
      "  idempotencyStore: createMemoryIdempotencyStore({ clock }),",
      "  rateLimiter: createMemoryRateLimiter(),",
      `  seed: ${JSON.stringify(setup.seed)},`,
      ...(isHalted ? ["  killSwitch,"] : []),
      "};",
      "",
      ...(isCrashing ? mortalRun(setup, met) : plainRun(setup)),
    ],
  };
}

const RECONCILE = [
  "const reconcile = async ({ id }: { id: string }) => {",
  `  await clock.sleep(${RECONCILE_MS});`,
  '  return { state: world.has(id) ? "applied" : "not_applied" } as const;',
  "};",
];

function plainSend(met: readonly Met[]): string[] {
  return [
    "// What the requests of each action meet, in turn.",
    "const script: Record<string, ScriptedStep[]> = {",
    ...rowsOf(met, ({ step }) => codeOf(step.text)),
    "};",
    "const scripted = createScriptedExecutor(({ id }) => script[id]!.shift()!, { clock, world });",
    "const send: ExecuteFn = scripted.execute;",
  ];
}

function abortedSend(met: readonly Met[]): string[] {
  const entry = ({ step, hangUpMs, reply }: Met) =>
    `{ step: ${codeOf(step.text)}, hangUpMs: ${hangUpMs}, prepareMs: ${reply.prepareMs} }`;
  return [
    "// What the requests of each action meet, in turn.",
    "const script: Record<string, { step: ScriptedStep; hangUpMs: number; prepareMs: number }[]> = {",
    ...rowsOf(met, entry),
    "};",
    "let meets: { step: ScriptedStep; hangUpMs: number; prepareMs: number };",
    "const scripted = createScriptedExecutor(",
    "  ({ id }) => {",
    "    meets = script[id]!.shift()!;",
    "    return meets.step;",
    "  },",
    "  { clock, world },",
    ");",
    "// Told to stop, this client takes a moment to hang up, and knows whether anything had left it.",
    "const send: ExecuteFn = async (action, attempt) => {",
    "  const startedMs = clock.monotonic();",
    "  const answer = scripted.execute(action, attempt);",
    "  const { hangUpMs, prepareMs } = meets;",
    "  try {",
    "    return await answer;",
    "  } catch (error) {",
    "    if (!attempt.signal.aborted) throw error;",
    "    const wasSent = clock.monotonic() >= startedMs + prepareMs;",
    "    await clock.sleep(hangUpMs);",
    '    if (!wasSent) return { ok: false, code: "aborted_before_send" };',
    "    throw error;",
    "  }",
    "};",
  ];
}

function rowsOf(met: readonly Met[], write: (request: Met) => string): string[] {
  const ids = [...new Set(met.map(({ actionId }) => actionId))];
  return ids.flatMap((id) => {
    const entries = met.filter(({ actionId }) => actionId === id).map(write);
    return [`  ${JSON.stringify(id)}: [`, ...entries.map((entry) => `    ${entry},`), "  ],"];
  });
}

/** Testkit writes an error without `new`. */
function codeOf(text: string): string {
  return text.replace(/^throws\(Error\(/, "throws(new Error(");
}

function executorOf({ reconcile }: PlaySetup, send: string): string {
  return reconcile ? `{ execute: ${send}, reconcile }` : send;
}

function plainRun(setup: PlaySetup): string[] {
  const id = JSON.stringify(executionIdOf(setup.name, 0));
  return [
    "const report = await clock.run(() =>",
    `  execute(decision, ${pretty(setup.context)}, policy, ${executorOf(setup, "send")}, { ...ports, clock, executionId: ${id} }),`,
    ");",
  ];
}

function mortalRun(setup: PlaySetup, met: readonly Met[]): string[] {
  const crashes = JSON.stringify(met.map(({ reply }) => reply.crash));
  const [first, again] = [executionIdOf(setup.name, 0), executionIdOf(setup.name, 1)].map((id) => JSON.stringify(id));
  return [
    `const crashes = ${crashes};`,
    "let die = () => {};",
    "// A process: once it is dead none of its timers fires, and no answer reaches it. Then it is started again.",
    "const live = (executionId: string): Promise<ExecutionReport> => {",
    "  let isDead = false;",
    "  const cancels: (() => void)[] = [];",
    "  const ownClock: Clock = {",
    "    now: clock.now,",
    "    monotonic: clock.monotonic,",
    "    setTimer: (callback, delayMs) => {",
    "      if (isDead) return () => {};",
    "      const cancel = clock.setTimer(callback, delayMs);",
    "      cancels.push(cancel);",
    "      return cancel;",
    "    },",
    "  };",
    "  const hears: ExecuteFn = (action, attempt) =>",
    "    new Promise((resolve, reject) => {",
    "      const answer = Promise.resolve(send(action, attempt));",
    "      if (crashes.shift()) clock.setTimer(() => die(), 5);",
    "      answer.then(",
    "        (result) => isDead || resolve(result),",
    "        (error) => isDead || reject(error),",
    "      );",
    "    });",
    "  const death = new Promise<void>((resolve) => {",
    "    die = () => {",
    "      isDead = true;",
    "      for (const cancel of cancels) cancel();",
    "      resolve();",
    "    };",
    "  });",
    "  const options = { ...ports, clock: ownClock, executionId };",
    `  const report = execute(decision, ${pretty(setup.context)}, policy, ${executorOf(setup, "hears")}, options);`,
    `  const again = death.then(() => clock.sleep(${setup.restartAfterMs})).then(() => live(${again}));`,
    "  return Promise.race([report, again]);",
    "};",
    `const report = await clock.run(() => live(${first}));`,
  ];
}
