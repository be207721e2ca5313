import { planExecution } from "@eoc/core";
import { computed } from "@preact/signals";
import { type PlayTexts, pretty, setupOfTexts } from "../engine/play-texts.js";
import { Icon, type IconName } from "./icons.js";
import { SCENARIOS } from "./scenarios.js";
import { base, notice, show, texts } from "./state.js";

interface Fault {
  readonly step: string;
  readonly name: string;
  readonly gloss: string;
  readonly icon: IconName;
  /** What it does, where it is not what the scenario is about anyway. */
  readonly about: string;
}

const FAULTS: readonly Fault[] = [
  {
    step: "drop",
    name: "Drop the reply",
    gloss: "done, but nobody hears",
    icon: "cut",
    about: "The service does what it is asked, then its reply is lost.",
  },
  {
    step: "slow 8s",
    name: "Slow",
    gloss: "done, answers too late",
    icon: "slow",
    about: "The service does what it is asked at once, and says so long after the attempt’s limit.",
  },
  {
    step: "429 retry 1s",
    name: "429 Retry-After",
    gloss: "“not now, in a second”",
    icon: "wait",
    about: "The service lets nobody in for a second, and says so. Only one side listens.",
  },
  {
    step: "crash",
    name: "Crash after send",
    gloss: "your process dies, restarts",
    icon: "crash",
    about:
      "The process dies right after it has sent, and is started again. Its journal and its keys survive (idempotency is on).",
  },
];

/** Which fault the first action meets, if it is just one of these. */
const current = computed(() => {
  const id = firstAction(texts.value);
  return FAULTS.find(({ step }) => texts.value.script === `${id}: ${step}`)?.step;
});

const about = computed(() => {
  if (texts.value.script === base.value.texts.script) return base.value.about;
  return FAULTS.find(({ step }) => step === current.value)?.about ?? "As you have set it up below.";
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
            <Icon name={fault.icon} />
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
        {about.value}
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
