import { createManualKillSwitch, execute } from "../packages/core/dist/index.js";

const report = await execute({ action: "ACT" }, {}, {}, async () => ({ ok: true, value: 1 }), {
  killSwitch: createManualKillSwitch(),
});
document.title = `${report.status} ${report.actions[0]?.value}`;
