import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { eventually, isBrowserMissing, type OpenPage, openSite, type Site } from "./browser.js";

// A real browser, on machines that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const scenarios = readdirSync(new URL("../decisions/", import.meta.url))
  .map((file) => file.replace(/^\d+-|\.json$/g, ""))
  .sort();

const at = (page: OpenPage["page"], id: string) => page.locator(`[data-testid="${id}"]`);
const textOf = async (page: OpenPage["page"], id: string) => (await at(page, id).textContent()) ?? "";
const toTheEnd = ({ page }: OpenPage) => page.locator(".scrub input").press("End");

async function count(page: OpenPage["page"], side: "naive" | "eoc"): Promise<number> {
  return Number(await textOf(page, `${side}-count`));
}

describe.skipIf(isBrowserMissing)("the page in a browser", () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
  });
  afterAll(() => site.close());

  it("plays the double refund by itself, once", async () => {
    const { page, troubles, shoot } = await site.open();
    const loaded = Date.now();
    await eventually(() => count(page, "naive")).toBe(2);
    console.log(`two refunds on the left ${Date.now() - loaded} ms after load`);
    expect(await count(page, "eoc")).toBe(1);
    await page.getByRole("button", { name: "Play", exact: true }).waitFor();
    expect(await textOf(page, "naive-says")).toBe("success");
    expect(await textOf(page, "eoc-says")).toBe("unknown");
    await shoot("light");
    await shoot("light-full", { fullPage: true });
    // It has stopped, and nothing is left that would begin again.
    const [before, after] = await page.evaluate(async () => {
      const timeShown = () => document.querySelector(".time")?.textContent;
      const before = timeShown();
      for (let frames = 0; frames < 10; frames++) await new Promise((resolve) => requestAnimationFrame(resolve));
      return [before, timeShown()];
    });
    expect(after).toBe(before);
    expect(troubles).toEqual([]);
  });

  it("plays every scenario, without an error and without a request that leaves it", async () => {
    const open = await site.open();
    const { page, troubles, shoot } = open;
    for (const scenario of scenarios) {
      await page.locator(".scenario select").selectOption(scenario);
      await toTheEnd(open);
      await page.waitForFunction(() => document.querySelector('[data-testid="eoc-says"]')?.textContent !== "…");
      expect(await textOf(page, "about")).not.toBe("");
      await shoot(`scenario-${scenario}`);
    }
    expect(troubles).toEqual([]);
  });

  it("lets each of the four faults happen at a press, and all go well at another", async () => {
    const open = await site.open();
    const { page, troubles } = open;
    const outcomes: Record<string, [number, number, string]> = {};
    for (const name of ["Slow", "429 Retry-After", "Crash after send", "Drop the reply"]) {
      const button = page.getByRole("button", { name });
      await button.click();
      await eventually(() => button.getAttribute("aria-pressed")).toBe("true");
      await settled(open);
      outcomes[name] = [await count(page, "naive"), await count(page, "eoc"), await textOf(page, "eoc-says")];
    }
    expect(outcomes).toEqual({
      Slow: [2, 1, "unknown"],
      "429 Retry-After": [0, 1, "success"],
      "Crash after send": [2, 1, "unknown"],
      "Drop the reply": [2, 1, "unknown"],
    });
    await page.getByRole("button", { name: "Drop the reply" }).click();
    await settled(open);
    expect([await count(page, "naive"), await count(page, "eoc")]).toEqual([1, 1]);
    expect(troubles).toEqual([]);
  });

  it("S2.4 halts three actions in flight: one not applied, one unknown, one denied", async () => {
    const open = await site.open("/", { reducedMotion: "reduce" });
    await open.page.getByRole("button", { name: "HALT" }).click();
    await eventually(() => open.page.locator(".eoc .meaning").textContent()).toMatch(
      /^Halted in \d ms: 1 not applied, 1 unknown, 1 denied\.$/,
    );
    await open.shoot("halted");
    expect(open.troubles).toEqual([]);
  });

  it("shows nothing before it happens: no effect, no outcome, no end", async () => {
    const open = await site.open("/", { reducedMotion: "reduce" });
    const { page } = open;
    await settled(open);
    expect(await page.locator(".coin").count()).toBe(3);
    await page.locator(".scrub input").press("Home");
    await eventually(() => page.locator(".coin").count()).toBe(0);
    expect(await page.locator(".entries li[data-shown=true]").count()).toBe(0);
    // What is hidden from the eye is not in it either.
    const texts = await page.locator(".stage").ariaSnapshot();
    expect(texts).toContain("in flight …");
    for (const outcome of ["UNKNOWN", "unknown", "believes", "again", "114"]) expect(texts).not.toContain(outcome);
  });

  it("halts at the very moment of the press, and what came before it stays as it was", async () => {
    const open = await site.open("/#scenario=refund-plan&seed=7", { reducedMotion: "reduce" });
    const { page } = open;
    await page.getByRole("button", { name: "Step back" }).waitFor();
    for (let step = 0; step < 40 && (await count(page, "eoc")) !== 1; step++) {
      await page.getByRole("button", { name: "Step back" }).click();
    }
    expect(await count(page, "eoc")).toBe(1);
    await page.getByRole("button", { name: "HALT" }).click();
    await settled(open);
    expect(await page.locator(".eoc .meaning").textContent()).toMatch(/^Halted in \d ms: 1 applied/);
    expect(page.url()).not.toContain("halt");
    expect(new URL(await linkOf(open)).hash).toMatch(/halt=\d+/);
  });

  it("says what the verifier finds: a flipped byte breaks at its record, a missing end is not proven, a pinned head catches it", async () => {
    const { page, troubles, shoot } = await site.open("/", { reducedMotion: "reduce" });
    const headline = () => textOf(page, "evidence-headline");
    const flip = page.getByRole("button", { name: "Flip a byte" });
    const cut = page.getByRole("button", { name: "Delete the last line" });
    const pin = page.getByRole("button", { name: "Pin the head" });
    await eventually(headline).toContain("Completeness not proven");
    await flip.click();
    await eventually(headline).toContain("breaks at #7");
    await cut.click();
    await eventually(headline).toContain("Completeness not proven");
    await pin.click();
    await eventually(headline).toMatch(/^Caught\. completeness/);
    await page.locator("#evidence").scrollIntoViewIfNeeded();
    await shoot("evidence");
    await cut.click();
    await eventually(headline).toMatch(/^Whole, and proven/);
    expect(troubles).toEqual([]);
  });

  it("keeps the worst case on screen, and follows the policy as it is typed", async () => {
    const { page, troubles } = await site.open("/", { reducedMotion: "reduce" });
    const bounds = () => textOf(page, "bounds");
    await eventually(bounds).toContain("at most 4 dispatches, 31.1 s");
    const policy = page.getByLabel("Policy", { exact: true });
    await policy.fill('{ "retry": { "maxRetries": 1 }, "timeout": { "maxTotalTimeMs": 2000 } }');
    await eventually(bounds).toContain("at most 2 dispatches, 3.1 s");
    await policy.fill('{ "retry": { "maxRetries": -1, "tries": 2 } }');
    await eventually(() => page.locator("#policy-issues").textContent()).toMatch(
      /retry\.tries[\s\S]*retry\.maxRetries/,
    );
    expect(await bounds()).toContain("the policy is invalid");
    expect(await page.locator(".bounds").isVisible()).toBe(true);
    await policy.fill("{");
    await eventually(() => page.locator("#policy-issues").textContent()).toContain("JSON");
    await page.getByLabel("What the requests meet").fill("refund-7: explode");
    await eventually(() => page.locator("#script-issues").textContent()).toContain("line 1");
    expect(troubles).toEqual([]);
  });

  it("is carried from browser to browser by its link", async () => {
    const first = await site.open("/", { reducedMotion: "reduce" });
    await first.page.getByLabel("Policy", { exact: true }).fill('{ "retry": { "maxRetries": 2, "jitter": "full" } }');
    await first.page.getByLabel("What the requests meet").fill("refund-7: 429 retry 1s, 503, drop");
    await first.page.getByLabel("Seed", { exact: true }).fill("link & seed");
    await first.page.getByLabel("EOC may ask the world").check();
    await settled(first);
    const link = await linkOf(first);
    const second = await site.open(new URL(link).pathname + new URL(link).hash, { reducedMotion: "reduce" });
    await settled(second);
    const seen = async ({ page }: OpenPage) => [
      await textOf(page, "report-hash"),
      await page.getByLabel("What the requests meet").inputValue(),
      await page.getByLabel("Seed", { exact: true }).inputValue(),
      await count(page, "naive"),
    ];
    expect(await seen(second)).toEqual(await seen(first));
    expect(await linkOf(second)).toBe(link);
    expect([...first.troubles, ...second.troubles]).toEqual([]);
  });

  it("says so when a link leads nowhere, and shows the first scenario", async () => {
    const open = await site.open("/#scenario=no-such-thing", { reducedMotion: "reduce" });
    await eventually(() => open.page.locator(".notice").textContent()).toContain("no-such-thing");
    await settled(open);
    expect(await count(open.page, "naive")).toBe(2);
  });

  it("runs 1,000 random schedules, none of which is doubled by EOC, and plays any of them", async () => {
    const open = await site.open("/", { reducedMotion: "reduce" });
    const { page, troubles, shoot } = open;
    await page.getByRole("button", { name: "Run 1,000 schedules" }).click();
    await eventually(() => textOf(page, "schedules-time")).toContain("schedules in");
    console.log(await textOf(page, "schedules-time"));
    expect(Number(await textOf(page, "naive-doubled"))).toBeGreaterThan(100);
    expect([await textOf(page, "eoc-doubled"), await textOf(page, "violations")]).toEqual(["0", "0"]);
    await page.locator("#schedules").scrollIntoViewIfNeeded();
    await shoot("schedules");
    const schedule = page.locator(".schedules button").first();
    const status = await schedule.locator(".status").textContent();
    await schedule.click();
    await settled(open);
    expect(await count(page, "naive")).toBeGreaterThan(1);
    expect(await textOf(page, "eoc-says")).toBe(status);
    expect(troubles).toEqual([]);
  });

  it("says of both sides' schedules what the stage says of them", async () => {
    const open = await site.open("/#scenario=refund-plan", { reducedMotion: "reduce" });
    const { page } = open;
    await settled(open);
    await page.getByLabel("the world honours idempotency keys").uncheck();
    await page.getByRole("button", { name: "Run 1,000 schedules" }).click();
    await eventually(() => textOf(page, "schedules-time")).toContain("schedules in");
    expect(Number(await textOf(page, "naive-doubled"))).toBeGreaterThan(100);
    expect(Number(await textOf(page, "eoc-doubled"))).toBeGreaterThan(0);
    await page.getByLabel("EOC did it twice").check();
    await page.locator("#schedules").scrollIntoViewIfNeeded();
    await open.shoot("schedules-repeatable");
    await page.locator(".schedules button").first().click();
    await settled(open);
    expect(await page.locator(".eoc .flag").textContent()).toContain("more than approved");
  });

  it("says of a line of the script that it is for no action there is", async () => {
    const { page } = await site.open("/", { reducedMotion: "reduce" });
    await page.getByLabel("What the requests meet").fill("refund-70: drop");
    await eventually(() => page.locator("#script-issues").textContent()).toContain("no action of the decision");
  });

  it("S9.3 masks what is pasted, says where, and sends it nowhere", async () => {
    const { page, troubles } = await site.open("/", { reducedMotion: "reduce" });
    await page
      .getByLabel("Text or JSON with secrets")
      .fill('{"user": "ada", "api_key": "sk-do-not-show-this-1234", "max_tokens": 4}');
    await eventually(() => textOf(page, "manifest")).toContain("/api_key");
    expect(await textOf(page, "redacted")).not.toContain("do-not-show");
    expect(await textOf(page, "redacted")).toContain('"max_tokens": 4');
    expect(troubles).toEqual([]);
  });

  it("verifies and draws a journal that is dropped, and survives anything else", async () => {
    const { page, troubles } = await site.open("/#scenario=crash-after-send", { reducedMotion: "reduce" });
    await page.getByRole("button", { name: "Use the one on the stage" }).click();
    await eventually(() => textOf(page, "journal")).toContain("in flight when it stopped: refund-9");
    expect(await textOf(page, "journal")).toContain("crash-after-send-again");
    const file = {
      name: "not-a-journal.jsonl",
      mimeType: "text/plain",
      buffer: Buffer.from('{"event":{"executionId":"x","atMs":1}}\nno'),
    };
    await page.locator("input[type=file]").setInputFiles(file);
    await eventually(() => textOf(page, "journal")).toContain("not-a-journal.jsonl");
    expect(await textOf(page, "journal")).toContain("FAIL");
    expect(troubles).toEqual([]);
  });

  it("saves the journal as it was tampered with, and finds that out when it is dropped", async () => {
    const { page, troubles } = await site.open("/", { reducedMotion: "reduce" });
    await page.getByRole("button", { name: "Flip a byte" }).click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save it as it is now" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("dropped-reply.journal.jsonl");
    await page.locator("input[type=file]").setInputFiles(await download.path());
    await eventually(() => textOf(page, "journal")).toContain("breaks at #7");
    expect(troubles).toEqual([]);
  });

  it("stays usable under a policy and a decision of a size that nobody reads", async () => {
    const open = await site.open("/", { reducedMotion: "reduce" });
    const { page, troubles } = open;
    const actions = Array.from({ length: 60 }, (_, index) => ({ action: "ACT", id: `order-${index}`, effect: "none" }));
    await page.getByLabel("Decision", { exact: true }).fill(JSON.stringify({ action: "ACT", actions }));
    await page.getByLabel("What the requests meet").fill(`order-0: ${Array(100).fill("lost").join(", ")}`);
    const policy = { retry: { maxRetries: 200, initialBackoffMs: 0 }, timeout: { maxTotalTimeMs: 600_000 } };
    await page.getByLabel("Policy", { exact: true }).fill(JSON.stringify(policy));
    await settled(open);
    await eventually(() => textOf(page, "eoc-says")).toBe("success");
    expect(await count(page, "eoc")).toBe(60);
    expect(await page.locator(".eoc .row").count()).toBeLessThan(100);
    expect(troubles).toEqual([]);
  });

  it("puts what is on the screen onto the clipboard", async () => {
    const { page } = await site.open("/", { reducedMotion: "reduce" });
    for (const form of ["vitest test", "TypeScript", "Link"]) {
      await page.getByLabel(form, { exact: true }).check();
      await page.getByRole("button", { name: "Copy", exact: true }).click();
      await page.getByText("✓ copied").waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      expect(copied.trim()).toBe((await textOf(page, "copied")).trim());
    }
  });

  it("needs no motion: with reduced motion the end is there at once", async () => {
    const { page } = await site.open("/", { reducedMotion: "reduce" });
    await page.getByRole("button", { name: "Play", exact: true }).waitFor();
    expect([await count(page, "naive"), await count(page, "eoc")]).toEqual([2, 1]);
  });

  it("is reached by keyboard alone, from the skip link to the red button", async () => {
    const { page } = await site.open("/", { reducedMotion: "reduce" });
    await page.getByRole("button", { name: "Play", exact: true }).waitFor();
    const reached: string[] = [];
    for (let presses = 0; presses < 80; presses++) {
      await page.keyboard.press("Tab");
      const name = await page.evaluate(() => {
        const { activeElement: active } = document;
        return active?.getAttribute("aria-label") ?? active?.textContent?.trim() ?? "";
      });
      reached.push(name);
      if (name === "HALT") break;
    }
    expect(reached[0]).toBe("Skip to the two sides");
    for (const name of ["Slow", "Run 1,000 schedules", "Pin the head", "Copy", "Step back", "Play", "HALT"]) {
      expect(reached.some((one) => one.startsWith(name))).toBe(true);
    }
    await page.keyboard.press("Enter");
    await eventually(() => page.locator(".eoc .meaning").textContent()).toContain("Halted in");
  });

  it("follows a finger on the scrubber", async () => {
    const { page } = await site.open("/", { reducedMotion: "reduce" });
    await page.getByRole("button", { name: "Play", exact: true }).waitFor();
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable");
    const busySeconds = async () =>
      (await session.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration")!.value;
    const before = await busySeconds();
    const { frames, counts } = await page.evaluate(async () => {
      const slider = document.querySelector<HTMLInputElement>(".scrub input")!;
      const counts = new Set<string>();
      const started = performance.now();
      let frames = 0;
      while (performance.now() - started < 1000) {
        await new Promise((resolve) => requestAnimationFrame(resolve));
        slider.value = String(((frames % 60) / 59) * Number(slider.max));
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        counts.add(document.querySelector('[data-testid="naive-count"]')!.textContent!);
        frames++;
      }
      return { frames, counts: [...counts] };
    });
    const busyMs = ((await busySeconds()) - before) * 1000;
    console.log(`scrubbing: ${frames} frames in a second, ${(busyMs / frames).toFixed(1)} ms of work a frame`);
    expect(counts.sort()).toEqual(["0", "1", "2"]);
  });

  async function settled(open: OpenPage): Promise<void> {
    await open.page.locator('#stage[aria-busy="false"]').waitFor();
    await toTheEnd(open);
    await open.page.waitForFunction(() => document.querySelector('[data-testid="eoc-says"]')?.textContent !== "…");
  }

  async function linkOf({ page }: OpenPage): Promise<string> {
    await page.getByLabel("Link", { exact: true }).check();
    return textOf(page, "copied");
  }
});
