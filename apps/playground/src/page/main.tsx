import { render } from "preact";
import { App } from "./app.js";
import { offer, whyNotLive } from "./live-state.js";
import { begin, playLive } from "./playback.js";
import { followLink, keepRecording } from "./state.js";
import "./style/base.css";
import "./style/stage.css";
import "./style/panels.css";

followLink(window.location.hash);
// Over a real world the first run is a real one.
let isFirst = offer !== undefined;
keepRecording((fromMs) => {
  if (isFirst && whyNotLive.value === "") void playLive();
  else begin(fromMs);
  isFirst = false;
});
window.addEventListener("hashchange", () => followLink(window.location.hash));
render(<App />, document.getElementById("app")!);
