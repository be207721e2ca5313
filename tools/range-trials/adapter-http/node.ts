import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createHttpExecutor } from "@eoc/adapter-http";
import { execute } from "@eoc/core";

let requests = 0;
const server = createServer((request, response) => {
  request.resume().on("end", () => response.writeHead(++requests === 1 ? 429 : 201, { "retry-after": "0" }).end());
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const executor = createHttpExecutor({
  request: (action) => ({ method: "POST", url: `${origin}/refunds`, body: action.params }),
  allowedOrigins: [origin],
  allowPrivateAddresses: true,
});

const decision = { action: "ACT" as const, params: { cents: 1200 } };
const report = await execute(decision, {}, { retry: { maxRetries: 1, initialBackoffMs: 1 } }, executor);
server.closeAllConnections();
server.close();
assert.deepEqual([report.status, report.attempts[0]?.errorCode, requests], ["success", "http_429", 2]);
const gone = await execute(decision, {}, { retry: { maxRetries: 0 } }, executor);
assert.deepEqual([gone.status, gone.attemptCount], ["failed", 1]);
