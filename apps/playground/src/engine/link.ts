import { type PlayTexts, setupOfTexts } from "./play-texts.js";

const MAX_LENGTH = 20_000;

/** The fragment of a link to these texts: the scenario, the seed, and what differs from the scenario's own. */
export function linkOf(texts: PlayTexts, base: PlayTexts): string {
  const fields = new URLSearchParams({ scenario: base.name, seed: texts.seed });
  const compact = (json: string) => {
    try {
      return JSON.stringify(JSON.parse(json));
    } catch {
      return json;
    }
  };
  if (compact(texts.policy) !== compact(base.policy)) fields.set("policy", compact(texts.policy));
  if (compact(texts.decision) !== compact(base.decision)) fields.set("decision", compact(texts.decision));
  if (texts.script !== base.script) fields.set("script", texts.script);
  if (texts.reconcile !== base.reconcile) fields.set("reconcile", texts.reconcile ? "1" : "0");
  if (texts.honoursKey !== base.honoursKey) fields.set("key", texts.honoursKey ? "1" : "0");
  if (texts.haltAtMs !== base.haltAtMs)
    fields.set("halt", texts.haltAtMs === undefined ? "never" : `${texts.haltAtMs}`);
  return `#${fields}`;
}

/** The texts that a fragment leads to, or why it leads nowhere. A link without a scenario leads to none. */
export function textsOfLink(
  fragment: string,
  baseOf: (scenario: string) => PlayTexts | undefined,
): { texts?: PlayTexts; problem?: string } {
  if (fragment.length > MAX_LENGTH) return { problem: "the link is too long" };
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const scenario = fields.get("scenario");
  if (scenario === null) return {};
  const base = baseOf(scenario);
  if (base === undefined) return { problem: `the link is to a scenario that there is not: ${scenario.slice(0, 40)}` };
  const { haltAtMs: usualHalt, ...rest } = base;
  const halt = fields.get("halt");
  const haltAtMs = halt === null ? usualHalt : Number(halt);
  const flag = (name: string, usual: boolean) => (fields.has(name) ? fields.get(name) === "1" : usual);
  const texts: PlayTexts = {
    ...rest,
    seed: fields.get("seed") || base.seed,
    policy: fields.get("policy") ?? base.policy,
    decision: fields.get("decision") ?? base.decision,
    script: fields.get("script") ?? base.script,
    reconcile: flag("reconcile", base.reconcile),
    honoursKey: flag("key", base.honoursKey),
    ...(haltAtMs !== undefined && haltAtMs >= 0 && haltAtMs < 1e9 ? { haltAtMs } : undefined),
  };
  const [issue] = setupOfTexts(texts).issues;
  return issue === undefined
    ? { texts }
    : { texts, problem: `the link's ${issue.field}: ${issue.where}: ${issue.message}` };
}
