import { render } from "preact";
import { App } from "./app.js";
import { begin } from "./playback.js";
import { followLink, keepRecording } from "./state.js";
import "./style/base.css";
import "./style/stage.css";
import "./style/panels.css";

followLink(window.location.hash);
keepRecording(begin);
window.addEventListener("hashchange", () => followLink(window.location.hash));
render(<App />, document.getElementById("app")!);
