/**
 * A test suite for no runner in particular: a list of names and functions that reject when something is wrong. The runner
 * files beside it hand it to vitest, node:test and jest. With `planted`, three of its subjects have a fault.
 */
function suite({ core, testkit }, { planted = false } = {}) {
  const { createManualKillSwitch, createMemoryIdempotencyStore, definePolicy, execute, planExecution } = core;
  const { checkInvariants, createScriptedExecutor, createVirtualClock, createWorld, explore } = testkit;
  const { aContext, aDecision, rejects, succeeds, throws } = testkit;

  const cases = [];
  const it = (name, run) => cases.push({ name, run });
  const mustBe = (actual, expected, what) => {
    if (actual !== expected) throw new Error(`${what}: expected ${expected}, got ${actual}`);
  };

  it("retries a busy service in virtual time", async () => {
    const clock = createVirtualClock();
    const executor = createScriptedExecutor([rejects("busy"), rejects("busy"), succeeds()], { clock });
    const report = await clock.run(() => execute(aDecision(), aContext(), {}, executor, { clock }));
    mustBe(report.status, "success", "status");
    mustBe(clock.monotonic(), 300, "virtual milliseconds");
    mustBe(clock.pending, 0, "armed timers");
  });

  it("runs four of four attempts that each await a real timer", async () => {
    const clock = createVirtualClock();
    let ended = 0;
    const executor = async () => {
      await new Promise((resolve) => setTimeout(resolve, 3));
      ended++;
      return { ok: false, code: "busy" };
    };
    const policy = { retry: { maxRetries: 3, initialBackoffMs: 1000 } };
    const report = await clock.run(() => execute(aDecision(), aContext(), policy, executor, { clock }));
    mustBe(report.attemptCount, 4, "attempts");
    mustBe(ended, 4, "attempts that ended");
    mustBe(clock.monotonic(), 7000, "virtual milliseconds");
  });

  it("says unknown when a reply is lost, and does not try again", async () => {
    const clock = createVirtualClock();
    const world = createWorld();
    const executor = createScriptedExecutor([throws(new Error("reset"), { applied: true })], { clock, world });
    const report = await clock.run(() => execute(aDecision(), aContext(), {}, executor, { clock }));
    mustBe(report.status, "unknown", "status");
    mustBe(world.count("action-0"), 1, "effects");
  });

  it("stops in the middle of a backoff", async () => {
    const clock = createVirtualClock();
    const killSwitch = createManualKillSwitch();
    clock.setTimer(() => killSwitch.halt("fire drill"), 50);
    const executor = createScriptedExecutor([rejects("busy")], { clock });
    const report = await clock.run(() => execute(aDecision(), aContext(), {}, executor, { clock, killSwitch }));
    mustBe(report.attemptCount, 1, "attempts");
    mustBe(clock.monotonic(), 50, "virtual milliseconds");
  });

  it("names the sleepers of a test that can never end", async () => {
    const clock = createVirtualClock();
    const error = await clock.run(() => clock.waitFor("order 7", new Promise(() => {}))).catch((reason) => reason);
    mustBe(testkit.isDeadlockError(error), true, "a DeadlockError");
    mustBe(error.message.includes("order 7"), true, "the sleeper's name in the message");
  });

  it("keeps every promise on record", async () => {
    const clock = createVirtualClock();
    const world = createWorld();
    const events = [];
    const executor = createScriptedExecutor([rejects("busy"), succeeds("receipt")], { clock, world });
    const decision = aDecision({ actions: [{ action: "ACT" }, { action: "ACT" }] });
    const onEvent = (event) =>
      events.push(planted && event.type === "wait.started" ? { ...event, cause: "whim" } : event);
    const report = await clock.run(() => execute(decision, aContext(), {}, executor, { clock, onEvent }));
    const plan = planExecution(decision, definePolicy());
    const violations = checkInvariants({ plan, policy: {}, events, report, world });
    mustBe(JSON.stringify(violations), "[]", "violations");
  });

  it("survives whatever its transport does", async () => {
    const result = await explore({
      executor:
        ({ choose, world }) =>
        async (action) => {
          const reply = choose("reply", ["done", "refused", "lost"]);
          if (reply === "refused") return { ok: false, code: "refused" };
          world.apply(action.id);
          if (reply === "lost" && !planted) throw new Error("reset");
          return reply === "lost" ? { ok: false, code: "reset" } : { ok: true };
        },
      print: () => {},
    });
    mustBe(result.failure?.message, undefined, "explore");
  });

  /** Looks first and claims later, whatever has happened in between. */
  const twoSteps = (store) => {
    const tokens = new Map();
    return {
      ...store,
      claim: async (key, request) => {
        const isKnown = store.list().some((entry) => entry.key === key);
        await Promise.resolve();
        if (!isKnown && tokens.has(key)) store.release(key, tokens.get(key));
        const verdict = store.claim(key, request);
        if (verdict.state === "claimed") tokens.set(key, verdict.token);
        return verdict;
      },
    };
  };
  const openStore = ({ clock }) => {
    const store = createMemoryIdempotencyStore({ clock });
    return { store: planted ? twoSteps(store) : store };
  };
  cases.push(...testkit.idempotencyStoreContract(openStore, { shared: false }));

  const openSwitch = () => {
    const killSwitch = createManualKillSwitch();
    return { killSwitch, halt: killSwitch.halt, clear: killSwitch.clear };
  };
  cases.push(...testkit.killSwitchContract(openSwitch, { outage: false }));

  return cases;
}

module.exports = { suite };
