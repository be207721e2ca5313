import axe from "axe-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { isBrowserMissing, openSite, type PageOptions, type Site } from "./browser.js";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const LOOKS: Readonly<Record<string, PageOptions>> = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { colorScheme: "light", width: 390, height: 844 },
  "small phone": { colorScheme: "light", width: 320, height: 640 },
  "phone, dark": { colorScheme: "dark", width: 390, height: 844 },
};

interface Violation {
  id: string;
  nodes: { html: string }[];
}

describe.skipIf(isBrowserMissing)("how the page looks", () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
  });
  afterAll(() => site.close());

  for (const [name, options] of Object.entries(LOOKS)) {
    it(`${name}: axe finds nothing, with everything on the page that can be, and nothing is wider than the screen`, async () => {
      const { page, shoot, troubles } = await site.open("/", { ...options, reducedMotion: "reduce" });
      await page.getByRole("button", { name: "HALT" }).click();
      await page.locator(".eoc .meaning", { hasText: "Halted in" }).waitFor();
      await page.getByLabel("What the requests meet").fill("deploy-web: explode");
      await page.getByRole("button", { name: "Flip a byte" }).click();
      await page.getByRole("button", { name: "Use the one on the stage" }).click();
      await page.getByRole("button", { name: "Run 1,000 schedules" }).click();
      await page.locator(".totals").waitFor({ timeout: 60_000 });
      await page.evaluate(axe.source);
      const violations = (await page.evaluate(
        "axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)",
      )) as Violation[];
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
      const [scrolled, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
      expect(scrolled).toBe(seen);
      const file = name.replace(/,? /, "-");
      await page.evaluate(() => window.scrollTo(0, 0));
      await shoot(`look-${file}`);
      await shoot(`look-${file}-full`, { fullPage: true });
      expect(troubles).toEqual([]);
    });
  }

  it("tells without colours of its own what it tells with them", async () => {
    const { page, shoot } = await site.open("/", { forcedColors: "active", reducedMotion: "reduce" });
    await page.locator(".coin.again").waitFor();
    const backgroundOf = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((element) => getComputedStyle(element).backgroundColor);
    const canvas = await backgroundOf("body");
    for (const selector of [".row.applied .bar", ".coin", ".coin.again", ".fault[aria-pressed=true]"]) {
      expect([selector, await backgroundOf(selector)]).not.toEqual([selector, canvas]);
      expect([selector, await backgroundOf(selector)]).not.toEqual([selector, "rgba(0, 0, 0, 0)"]);
    }
    await shoot("look-forced-colors");
  });

  it("shows by keyboard what has the focus, in front of the bar", async () => {
    const { page } = await site.open("/", { width: 390, height: 844, reducedMotion: "reduce" });
    await page.getByRole("button", { name: "Play", exact: true }).waitFor();
    const hidden: string[] = [];
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press("Tab");
      const found = await page.evaluate(() => {
        const active = document.activeElement;
        if (active === null || active.closest(".transport") !== null) return "";
        const bar = document.querySelector(".transport")!.getBoundingClientRect().top;
        const { top } = active.getBoundingClientRect();
        return top < bar - 10 ? "" : `${active.tagName} ${active.id} ${active.textContent}`.slice(0, 60);
      });
      if (found !== "") hidden.push(found);
    }
    expect(hidden).toEqual([]);
  });

  it("is under 150 kB of gzipped script, sent as it is built", async () => {
    const { readdir, readFile } = await import("node:fs/promises");
    const { gzipSync } = await import("node:zlib");
    const assets = new URL("../dist-page/assets/", import.meta.url);
    const scripts = (await readdir(assets)).filter((file) => file.endsWith(".js"));
    const sizes = await Promise.all(
      scripts.map(async (file) => gzipSync(await readFile(new URL(file, assets))).length),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    console.log(`${(total / 1000).toFixed(1)} kB of script, gzipped`);
    expect(total).toBeGreaterThan(10_000);
    expect(total).toBeLessThan(150_000);
  });
});
