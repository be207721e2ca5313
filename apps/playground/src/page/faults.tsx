import { computed } from "@preact/signals";
import { planExecution } from "@eoc/core";
import { type PlayTexts, pretty, setupOfTexts } from "../engine/play-texts.js";
import { SCENARIOS } from "./scenarios.js";
import { base, notice, show, texts } from "./state.js";

interface Fault {
  readonly step: string;
  readonly name: string;
  readonly gloss: string;
  readonly icon: string;
}

const FAULTS: readonly Fault[] = [
  { step: "drop", name: "Drop the reply", gloss: "done, but nobody hears of it", icon: "✂" },
  { step: "slow 8s", name: "Slow", gloss: "answers long after the timeout", icon: "◔" },
  { step: "429 retry 1s", name: "429 Retry-After", gloss: "“not now, in a second”", icon: "⏳" },
  { step: "crash", name: "Crash after send", gloss: "your process dies, restarts", icon: "⚡" },
];

/** Which fault the first action meets, if it is just one of these. */
const current = computed(() => {
  const id = firstAction(texts.value);
  return FAULTS.find(({ step }) => texts.value.script === `${id}: ${step}`)?.step;
});

/** What to run, and what goes wrong with it. */
export function Faults() {
  const chosen = base.value;
  return (
    <div class="controls">
      <fieldset class="faults">
        <legend>Make something go wrong</legend>
        {FAULTS.map((fault) => (
          <button
            type="button"
            key={fault.step}
            class="fault"
            aria-pressed={current.value === fault.step}
            onClick={() => press(fault)}
          >
            <span class="icon" aria-hidden="true">
              {fault.icon}
            </span>
            <span class="fault-name">{fault.name}</span>
            <span class="gloss">{fault.gloss}</span>
          </button>
        ))}
      </fieldset>
      <label class="scenario">
        <span>or play a scenario</span>
        <select
          value={chosen.name}
          onChange={(event) => {
            const wanted = SCENARIOS.find(({ name }) => name === event.currentTarget.value);
            if (wanted !== undefined) show(wanted.texts);
          }}
        >
          {SCENARIOS.map(({ name }) => (
            <option key={name} value={name}>
              {name.replaceAll("-", " ")}
            </option>
          ))}
        </select>
      </label>
      <p class="about" data-testid="about">
        {chosen.about}
      </p>
      <p class="notice" role="status">
        {notice.value}
      </p>
    </div>
  );
}

/** Pressed again, it lets all go well. */
function press({ step }: Fault): void {
  const { haltAtMs: _, ...rest } = texts.value;
  const id = firstAction(rest);
  const script = current.value === step ? "" : `${id}: ${step}`;
  // Only a key that outlives the process can tell its successor what was sent.
  const policy = step === "crash" ? withKeys(rest.policy) : rest.policy;
  show({ ...rest, script, policy });
}

function firstAction(from: PlayTexts): string {
  const { setup } = setupOfTexts(from);
  return (setup && planExecution(setup.decision, setup.policy).actions[0]?.id) ?? "*";
}

function withKeys(policy: string): string {
  try {
    const parsed = JSON.parse(policy) as { idempotency?: object };
    return pretty({ ...parsed, idempotency: { leaseMs: 400, ...parsed.idempotency, enabled: true } });
  } catch {
    return policy;
  }
}
