import { planExecution } from "@eoc/core";
import { useComputed } from "@preact/signals";
import type { Recording, Side } from "../engine/recording.js";
import { markRepeats } from "../engine/repeats.js";
import { playheadMs } from "./state.js";
import { counted, effectOf, money, shownMs } from "./wording.js";

interface Entry {
  readonly id: string;
  readonly atMs: number;
  readonly cents: number | undefined;
  /** The same action had had its effect before. */
  readonly isAgain: boolean;
}

const MAX_ENTRIES = 30;

/** The outside world of one side: what happened in it, whatever anybody was told. */
export function Ledger({ side, run, name, of }: { side: Side; run: Recording; name: string; of: "naive" | "eoc" }) {
  const entries = entriesOf(side, run);
  const ids = planExecution(run.setup.decision, run.setup.policy).actions.map(({ id }) => id);
  const count = useComputed(() => {
    const nowMs = playheadMs.value;
    return entries.filter(({ atMs }) => atMs <= nowMs).length;
  });
  const isDouble = entries.slice(0, count.value).some(({ isAgain }) => isAgain);
  const cents = entries.slice(0, count.value).reduce((sum, entry) => sum + (entry.cents ?? 0), 0);
  return (
    <section class={`ledger ${isDouble ? "double" : ""}`} aria-label={`The world’s ledger, ${name} side`}>
      <p class="ledger-title">World’s ledger</p>
      <p class="tally">
        <strong data-testid={`${of}-count`}>{count.value}</strong> {counted(count.value, ids)}
        {cents > 0 && <span class="sum">{money(cents)} gone</span>}
        {isDouble && <span class="flag">⚠ more than approved</span>}
      </p>
      <ol class="entries">
        {entries.slice(0, MAX_ENTRIES).map((entry, index) => (
          <li key={index} class={entry.isAgain ? "again" : ""} data-shown={index < count.value}>
            <span aria-hidden="true">{entry.isAgain ? "▲" : "●"}</span> <b>{entry.id}</b>
            {entry.cents !== undefined && <span> {money(entry.cents)}</span>}
            {entry.isAgain && <strong> {effectOf(entry.id).again}</strong>}
            <span class="ms">{shownMs(entry.atMs)}</span>
          </li>
        ))}
        {entries.length > MAX_ENTRIES && <li class="none">… and {entries.length - MAX_ENTRIES} more</li>}
        {entries.length === 0 && <li class="none">nothing happened out there</li>}
      </ol>
    </section>
  );
}

function entriesOf({ effects }: Side, { setup }: Recording): Entry[] {
  const { actions } = planExecution(setup.decision, setup.policy);
  const repeats = markRepeats(effects);
  return effects.map(({ actionId, atMs = 0 }, index) => {
    const cents = actions.find(({ id }) => id === actionId)?.params["cents"];
    return { id: actionId, atMs, cents: typeof cents === "number" ? cents : undefined, isAgain: repeats[index]! };
  });
}
