import axe from "axe-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { textsOf } from "../src/engine/play-texts.js";
import { record } from "../src/engine/recording.js";
import { setupOfScenario } from "../src/engine/setup-of-scenario.js";
import { type LiveServer, startLiveServer } from "../src/live/live-server.js";
import type { LiveRunStarted } from "../src/live/wire.js";
import { parseScenario } from "../src/scenario/scenario.js";
import { eventually, isBrowserMissing, openSite, type Site } from "./browser.js";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const folder = new URL("../dist-page/", import.meta.url);

let server: LiveServer;
beforeAll(async () => {
  server = await startLiveServer({ folder, port: 0 });
});
afterAll(() => server.close());

const authorized = () => ({ authorization: `Bearer ${server.token}`, "content-type": "application/json" });

describe("the live server", () => {
  const decision = { action: "ACT", actions: [{ action: "ACT", id: "refund-7" }] };
  const texts = textsOf(setupOfScenario(parseScenario("one-refund", JSON.stringify({ decision })), {}, "7"));
  const start = (body: string, headers: Record<string, string> = authorized()) =>
    fetch(`${server.origin}/live/runs`, { method: "POST", headers, body });

  it("lets nobody run anything without its token, and nobody halt", async () => {
    const anonymous = { "content-type": "application/json" };
    expect((await start(JSON.stringify(texts), anonymous)).status).toBe(403);
    const halt = { method: "POST", headers: anonymous, body: '{"halted":true}' };
    expect((await fetch(`${server.origin}/live/control`, halt)).status).toBe(401);
  });

  it("answers only to names of this machine, so that no other site's name can lead here", async () => {
    const { request } = await import("node:http");
    const status = await new Promise((resolve) => {
      request(server.origin, { headers: { host: "rebound.example" } }, (response) =>
        resolve(response.statusCode),
      ).end();
    });
    expect(status).toBe(421);
  });

  it("serves the files of the build and nothing else", async () => {
    expect(await (await fetch(`${server.origin}/`)).text()).toContain("eoc-live");
    for (const path of ["/package.json", "/assets/..%2f..%2fpackage.json", "/assets/none.js", "/../package.json"]) {
      expect((await fetch(server.origin + path)).status).toBe(404);
    }
  });

  it("refuses what is no setup, with a reason", async () => {
    for (const body of ["", "{}", "[]", JSON.stringify({ ...texts, policy: '{"retry":{"maxRetries":-1}}' })]) {
      const response = await start(body);
      expect(response.status).toBe(422);
      expect(((await response.json()) as { detail: string }).detail).not.toBe("");
    }
  });

  it("executes a setup over real connections, and tells of both worlds as it happens", async () => {
    const started = (await (
      await start(JSON.stringify({ ...texts, script: "refund-7: drop" }))
    ).json()) as LiveRunStarted;
    const base = `${server.origin}/live/runs/${started.id}`;
    const world = fetch(`${base}/world`, { headers: authorized() }).then((response) => response.text());
    const response = await fetch(`${base}/execute`, {
      method: "POST",
      headers: authorized(),
      body: JSON.stringify({ decision }),
    });
    expect(await response.json()).toMatchObject({ status: "unknown", attemptCount: 1 });
    const told = (await world).split("\n\n").filter(Boolean);
    const messages = told.map((part) => JSON.parse(part.slice("data: ".length)) as { type: string; side?: string });
    const effects = (side: string) => messages.filter((each) => each.type === "effect" && each.side === side).length;
    expect([effects("eoc"), effects("naive")]).toEqual([1, 2]);
    expect(messages.at(-1)).toMatchObject({ type: "naive.finished", belief: "success" });
  });

  it("is the same world as the page's: what a setup comes to live is what it comes to on virtual time", async () => {
    const setup = setupOfScenario(
      parseScenario(
        "one-refund",
        JSON.stringify({ decision, reconcile: true, world: { replies: { "*": [{ drop_reply: true }] } } }),
      ),
      {},
      "7",
    );
    const started = (await (await start(JSON.stringify(textsOf(setup)))).json()) as LiveRunStarted;
    const path = `${server.origin}/live/runs/${started.id}/execute`;
    const live = (await (
      await fetch(path, { method: "POST", headers: authorized(), body: JSON.stringify({ decision }) })
    ).json()) as object;
    const { report } = (await record(setup)).eoc;
    expect(live).toMatchObject({ status: report.status, attemptCount: report.attemptCount, planHash: report.planHash });
  });
});

describe.skipIf(isBrowserMissing)("live mode in a browser", () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite(server.origin);
  });
  afterAll(() => site.close());

  it("runs the double refund against the real world by itself, once", async () => {
    const { page, troubles, shoot } = await site.open();
    await eventually(() => page.locator('[data-testid="live-state"]').textContent()).toBe("a live run");
    expect(await page.locator('[data-testid="naive-count"]').textContent()).toBe("2");
    expect(await page.locator('[data-testid="eoc-count"]').textContent()).toBe("1");
    expect(await page.locator('[data-testid="eoc-says"]').textContent()).toBe("unknown");
    await page.getByRole("button", { name: "Pin the head" }).click();
    await eventually(() => page.locator('[data-testid="evidence-headline"]').textContent()).toContain(
      "Whole, and proven",
    );
    await shoot("live");
    await page.evaluate(axe.source);
    const violations = await page.evaluate(
      "axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id }) => id))",
    );
    expect(violations).toEqual([]);
    expect(troubles).toEqual([]);
  });

  it("says why a crash cannot be run live, and what leaves the page", async () => {
    const { page, shoot } = await site.open("/#scenario=crash-after-send", { reducedMotion: "reduce" });
    await eventually(() => page.locator("#why-not-live").textContent()).toContain("virtual time only");
    expect(await page.getByRole("button", { name: "Run it live" }).isDisabled()).toBe(true);
    expect(await page.locator(".colophon").textContent()).toContain("sends what stands in the editors to the server");
    await shoot("live-crash");
  });

  it("S2.4 halts a live run in flight at the server's kill switch, which denies from then on, until it is taken back", async () => {
    const { page, troubles, shoot } = await site.open("/#scenario=not-allowed");
    await page.locator(".scenario select").selectOption("halt-three-in-flight");
    await page.getByRole("button", { name: /Take back the halt/ }).click();
    await page.getByRole("button", { name: "Run it live" }).click();
    await page.locator(".eoc .track", { hasText: "deploy-db" }).waitFor();
    await page.getByRole("button", { name: "HALT" }).click();
    await eventually(() => page.locator(".eoc .meaning").textContent()).toContain("Halted in");
    const taken = page.getByRole("button", { name: "Take it back" });
    await taken.waitFor({ timeout: 20_000 });
    await shoot("live-halted");
    await page.getByRole("button", { name: "Run it live" }).click();
    await eventually(() => page.locator('[data-testid="eoc-says"]').textContent()).toBe("denied");
    await eventually(() => page.locator('[data-testid="live-state"]').textContent()).toBe("a live run");
    expect(await page.locator('[data-testid="eoc-count"]').textContent()).toBe("0");
    await taken.click();
    await taken.waitFor({ state: "detached" });
    expect(troubles).toEqual([]);
  });
});
