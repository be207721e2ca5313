import { Bench } from "./bench.js";
import { Evidence } from "./evidence-panel.js";
import { Faults } from "./faults.js";
import { JournalViewer } from "./journal-viewer.js";
import { LiveBar } from "./live-bar.js";
import { offer } from "./live-state.js";
import { Schedules } from "./schedules-panel.js";
import { Secrets } from "./secrets-panel.js";
import { Share } from "./share.js";
import { Stage } from "./stage.js";
import { Transport } from "./transport.js";

const WITHIN_THE_PAGE =
  "Everything on this page runs in your browser, on a virtual clock, with the packages as they ship. Nothing you type, paste or drop leaves it.";
const LIVE_TOO =
  "What is on virtual time runs in your browser, with the packages as they ship. A live run sends what stands in the editors to the server that this page comes from, which executes it. Secrets that you paste and journals that you drop leave the page in neither case.";

/** The whole page. */
export function App() {
  return (
    <>
      <a class="skip" href="#stage">
        Skip to the two sides
      </a>
      <header class="masthead">
        <p class="brand">
          EOC <span>playground</span>
        </p>
        <nav aria-label="On this page">
          <a href="#bench">Your policy</a>
          <a href="#schedules">1,000 schedules</a>
          <a href="#evidence">Evidence</a>
          <a href="#secrets">Secrets</a>
          <a href="#journal">Journal</a>
          <a href="#share">Copy</a>
        </nav>
      </header>
      <main>
        <section class="hero" aria-labelledby="title">
          <h1 id="title">Approved is not executed.</h1>
          <p class="lead">
            The same decision, the same network, run twice: by a retry loop that takes silence for “it did not happen”,
            and by EOC. Watch what <em>really</em> happens in the outside world.
          </p>
          <Faults />
          <LiveBar />
        </section>
        <Stage />
        <Bench />
        <Schedules />
        <Evidence />
        <div class="pair">
          <Secrets />
          <JournalViewer />
        </div>
        <Share />
      </main>
      <footer class="colophon">
        <p>{offer === undefined ? WITHIN_THE_PAGE : LIVE_TOO}</p>
      </footer>
      <Transport />
    </>
  );
}
