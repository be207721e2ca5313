import { computed, signal } from "@preact/signals";
import { writeProgram, writeTest } from "../engine/write-code.js";
import { isShownLive } from "./live-state.js";
import { Scrollable } from "./scrollable.js";
import { link, recording } from "./state.js";

const FORMS = { link: "Link", program: "TypeScript", test: "vitest test" } as const;
type Form = keyof typeof FORMS;

const LEADS = {
  link: "the link below opens this very setup, in any browser.",
  program: "the program below comes to this very report.",
  test: "the test below passes as it is, and comes to this very report.",
} as const;

const form = signal<Form>("test");
const said = signal("");

const copied = computed(() => {
  const run = recording.value;
  if (form.value === "link") return new URL(link.value, window.location.href).href;
  if (run === undefined) return "";
  return form.value === "program" ? writeProgram(run) : writeTest(run);
});

/** What is on the stage, to take along. */
export function Share() {
  const hash = recording.value?.reportHash ?? "";
  return (
    <section id="share" class="panel" aria-labelledby="share-title">
      <header>
        <h2 id="share-title">Take it along</h2>
        <p>The same run, again and again: {LEADS[form.value]}</p>
      </header>
      {isShownLive.value && (
        <p class="hint">A live run never comes twice. This is the same setup on virtual time, where it does.</p>
      )}
      <p class="hash">
        report <code data-testid="report-hash">{hash}</code>
      </p>
      <div class="actions">
        <fieldset class="filters">
          <legend class="visually-hidden">As what</legend>
          {Object.entries(FORMS).map(([name, words]) => (
            <label key={name}>
              <input
                type="radio"
                name="form"
                value={name}
                checked={form.value === name}
                onChange={() => {
                  form.value = name as Form;
                  said.value = "";
                }}
              />
              {words}
            </label>
          ))}
        </fieldset>
        <button type="button" class="primary" onClick={() => void copy()}>
          Copy
        </button>
        <span role="status">{said.value}</span>
      </div>
      <Scrollable class="code" label="What is copied" testId="copied">
        {copied.value}
      </Scrollable>
      <details>
        <summary>The report in plain sentences</summary>
        <Scrollable class="code" label="The report in plain sentences">
          {recording.value?.eoc.story}
        </Scrollable>
      </details>
    </section>
  );
}

async function copy(): Promise<void> {
  try {
    await navigator.clipboard.writeText(copied.value);
    said.value = "✓ copied";
  } catch {
    said.value = "This browser does not let the page copy: select the text below.";
  }
}
