import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { PROBLEMS } from "../../src/handler/problem.js";
import { PROBLEM_CASES } from "./problem-cases.js";
import { openHandler, problemOf } from "./support.js";

describe("the handler refuses", () => {
  for (const { code, what, options = () => ({}), ask, headers = {} } of PROBLEM_CASES) {
    const [status] = PROBLEMS[code];

    it(`${what}: ${status} ${code}`, async () => {
      const handler = openHandler(options());
      const response = await ask(handler);
      const text = await response.text();
      expect([response.status, JSON.parse(text)]).toMatchObject([
        status,
        { type: expect.stringMatching(new RegExp(`^https://.*#${code}$`)), status, code, title: expect.any(String) },
      ]);
      const sent = Object.fromEntries(response.headers);
      expect(sent).toMatchObject({
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        ...headers,
      });
      expect(text).not.toContain("s3cr3t");
    });
  }

  it("for no reason that is not in this list", () => {
    expect([...new Set(PROBLEM_CASES.map(({ code }) => code))].sort()).toEqual(Object.keys(PROBLEMS).sort());
  });
});

describe("a handler that fails closed", () => {
  it("tells `onError` what for, whatever that does, and nobody else", async () => {
    const broken = new Error("s3cr3t");
    const { order, faults } = openHandler({ authorize: () => Promise.reject(broken) });
    expect(await (await order()).text()).not.toContain("s3cr3t");
    expect(faults).toEqual([["authorize", broken]]);
    const throwing = openHandler({
      authorize: () => Promise.reject(broken),
      onError: () => {
        throw broken;
      },
    });
    expect((await throwing.order()).status).toBe(503);
  });

  it("tells `onError` which port an execution could not be given, and the caller nothing of it", async () => {
    const { order, killSwitch, get, faults } = openHandler();
    delete (killSwitch as Partial<typeof killSwitch>).read;
    const refused = await order();
    expect(await refused.clone().text()).not.toContain("killSwitch");
    expect(await problemOf(refused)).toEqual([500, "misconfigured"]);
    const issues = [{ path: "ports.killSwitch", expected: "an object with read()" }];
    const message = "invalid execution handler: ports.killSwitch must be an object with read()";
    expect(faults).toMatchObject([["handler", { code: "invalid_option", message, issues }]]);
    expect(await problemOf(await get("/health"))).toEqual([503, "kill_switch_unavailable"]);
  });

  it("S8.3 lives on when those who only observe it reject", async () => {
    const broken = new Error("s3cr3t");
    const rejects = () => Promise.reject(broken);
    const { order } = openHandler({ authorize: rejects, onError: rejects });
    expect((await order()).status).toBe(503);
    const observed = openHandler({ ports: { onEvent: rejects } });
    expect((await observed.order()).status).toBe(200);
    // A rejection that nobody handled would have failed this run.
    await setImmediate();
  });

  it("executes nothing", async () => {
    const executing = PROBLEM_CASES.filter(({ code }) =>
      ["execution_running", "idempotency_key_reused", "rate_limited", "too_many_executions", "too_many_streams"].every(
        (other) => other !== code,
      ),
    );
    for (const { ask, options = () => ({}) } of executing) {
      const handler = openHandler(options());
      await ask(handler);
      expect(handler.effects).toEqual([]);
    }
  });

  it("leaves no timer behind", async () => {
    for (const { ask, code, options = () => ({}) } of PROBLEM_CASES) {
      if (["execution_running", "too_many_executions", "too_many_streams"].includes(code)) continue;
      const handler = openHandler(options());
      await ask(handler);
      expect([code, handler.clock.pending]).toEqual([code, 0]);
    }
  });
});
