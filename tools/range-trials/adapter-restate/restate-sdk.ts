import assert from "node:assert/strict";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { createRestateExecution } from "@eoc/adapter-restate";
import { createEndpointHandler } from "@restatedev/restate-sdk";
import { settingOf } from "../ports-trial.js";

const { admin, ingress } = JSON.parse(settingOf("EOC_RESTATE")) as { admin: string; ingress: string };
const name = `Execution_${settingOf("EOC_TRIAL")}`;
let dispatches = 0;
const execution = createRestateExecution({
  name,
  policy: { retry: { maxRetries: 1, initialBackoffMs: 1 } },
  executor: () => (++dispatches === 1 ? { ok: false, code: "busy" } : { ok: true }),
});
const server = http2.createServer(createEndpointHandler({ services: [execution], logger: () => {} }));
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const ask = async (url: string, body: unknown): Promise<unknown> => {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  assert.ok(response.ok, `${url} answered ${response.status}: ${response.ok ? "" : await response.text()}`);
  return response.json();
};
await ask(`${admin}/deployments`, { uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, force: true });
const request = { decision: { action: "ACT" }, context: {}, key: "refund-7" };
const report = (await ask(`${ingress}/${name}/execute`, request)) as { status: string; attemptCount: number };
assert.deepEqual([report.status, report.attemptCount, dispatches], ["success", 2, 2]);
process.exit();
