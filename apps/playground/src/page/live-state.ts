import type { ExecutionEvent, ExecutionReport } from "@eoc/core";
import { computed, signal } from "@preact/signals";
import type { Recording } from "../engine/recording.js";
import { LIVE_META, type LiveOffer, type LiveRunStarted, type WorldMessage } from "../live/wire.js";
import { draftOf, type LiveDraft } from "./live-draft.js";
import { readEvents } from "./server-events.js";
import { notice, parsed, recording, texts } from "./state.js";

/** What the server offers that the page comes from; undefined on a static host. */
export const offer: LiveOffer | undefined = readOffer();

const draft = signal<LiveDraft | undefined>(undefined);
/** Whether a live run is under way. */
export const isLive = computed(() => draft.value !== undefined && !draft.value.isOver);
export const isSwitchThrown = signal(false);

/** What is on the stage: a live run, if one was made of these texts, else the one on virtual time. */
export const shown = computed<Recording | undefined>(() => {
  const live = draft.value;
  if (live === undefined || recording.value === undefined) return recording.value;
  return live.texts === texts.value ? live.recordingOver(recording.value) : recording.value;
});

/** Why what stands in the editors cannot be run live; empty where it can. */
export const whyNotLive = computed(() => {
  const replies = parsed.value.setup?.world.replies;
  if (replies === undefined) return "The editors hold nothing valid.";
  const crashes = [...replies.values()].flat().some(({ crash }) => crash);
  return crashes ? "A crash is played on virtual time only." : "";
});

export const isShownLive = computed(() => draft.value !== undefined && draft.value.texts === texts.value);

let shownRuns = 0;
/** Another with every run, and with every step of a live one: components that show one begin anew. */
export const shownNumber = computed(() => (shown.value === undefined ? 0 : ++shownRuns));

/** Milliseconds since the live run began. */
export function liveNowMs(): number {
  return draft.value === undefined ? 0 : Date.now() - draft.value.startedAtMs;
}

/** Runs what stands in the editors against the real world, both sides at once. */
export async function runLive(): Promise<void> {
  if (offer === undefined || isLive.value || whyNotLive.value !== "") return;
  const of = texts.value;
  notice.value = "";
  try {
    const started = (await ask("/live/runs", of)) as LiveRunStarted;
    const base = `/live/runs/${started.id}`;
    let now = draftOf(of, started.startedAtMs);
    draft.value = now;
    const change = (next: LiveDraft) => {
      now = next;
      draft.value = next;
    };
    const world = readEvents<WorldMessage>(`${base}/world`, headers(), (message) => change(now.told(message)));
    const { decision, context } = { decision: JSON.parse(of.decision) as unknown, context: of.context };
    const response = await fetch(`${base}/execute`, {
      method: "POST",
      headers: { ...headers(), "content-type": "application/json", prefer: "respond-async" },
      body: JSON.stringify({ decision, context }),
    });
    const { executionId } = (await response.clone().json()) as { executionId: string };
    const events = readEvents<ExecutionEvent>(`${base}/executions/${executionId}/events`, headers(), (event) =>
      change(now.saw(event)),
    );
    await Promise.all([world, events]);
    const report = (await ask(`${base}/executions/${executionId}`)) as ExecutionReport;
    const journal = (await ask(`${base}/journal`)) as string[];
    change(now.ended(report, journal));
  } catch (error) {
    draft.value = undefined;
    notice.value = `Not run live: ${(error as Error).message}`;
  }
  await readSwitch();
}

/** Throws the real kill switch, or takes it back. */
export async function setSwitch(halted: boolean): Promise<void> {
  await ask("/live/control", halted ? { halted, reason: "the red button" } : { halted });
  isSwitchThrown.value = halted;
}

async function readSwitch(): Promise<void> {
  isSwitchThrown.value = ((await ask("/live/control")) as { halted: boolean }).halted;
}

function headers(): Record<string, string> {
  return { authorization: `Bearer ${offer?.token}` };
}

async function ask(path: string, body?: unknown): Promise<unknown> {
  const init =
    body === undefined
      ? { headers: headers() }
      : { method: "POST", headers: { ...headers(), "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, init);
  const answer = (await response.json()) as { detail?: string };
  if (!response.ok) throw new Error(answer.detail ?? `the server says ${response.status}`);
  return answer;
}

function readOffer(): LiveOffer | undefined {
  const content = document.querySelector<HTMLMetaElement>(`meta[name="${LIVE_META}"]`)?.content;
  return content === undefined ? undefined : (JSON.parse(content) as LiveOffer);
}
