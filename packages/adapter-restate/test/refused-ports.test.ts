import { createBulkhead, createManualKillSwitch, type ExecuteOptions, isEocError } from "@eoc/core";
import { createVirtualClock } from "@eoc/testkit";
import { describe, expect, expectTypeOf, it } from "vitest";
import { createRestateExecution, type DurableExecuteOptions, type DurablePorts } from "../src/index.js";
import { runDurably } from "./support.js";

const executor = () => ({ ok: true as const });
const decision = { action: "ACT" as const };
const bulkhead = createBulkhead({ limit: 1 });

describe("ports that there are not on an engine", () => {
  it("are no part of the types, not even in an object that has more", () => {
    expectTypeOf<ExecuteOptions["bulkhead"]>().not.toExtend<DurablePorts["bulkhead"]>();
    expectTypeOf<ExecuteOptions["signal"]>().not.toExtend<DurablePorts["signal"]>();
    expectTypeOf<Omit<ExecuteOptions, "bulkhead" | "signal">>().toExtend<DurablePorts>();
    expectTypeOf<{ signal: AbortSignal }>().not.toExtend<DurablePorts>();
    expectTypeOf<keyof DurableExecuteOptions>().toEqualTypeOf<"executionId" | "seed" | "approval">();
  });

  it.each([
    ["bulkhead", bulkhead, "nothing: the engine limits concurrency itself"],
    ["signal", new AbortController().signal, "nothing: cancel the invocation instead"],
  ])(
    "%s is refused by the service when it is made, and by an execution before it begins",
    async (name, port, expected) => {
      const ports = { [name]: port } as DurablePorts;
      const issues = [{ path: `ports.${name}`, expected, received: "object" }];
      try {
        createRestateExecution({ policy: {}, executor, ports });
        expect.unreachable();
      } catch (error) {
        expect(isEocError(error) && error).toMatchObject({ code: "invalid_option", issues });
      }
      const clock = createVirtualClock();
      const { report } = await clock.run(() => runDurably({ clock, decision, executor, ports }));
      expect(report).toMatchObject({
        status: "denied",
        reason: "invalid_options",
        failClosed: true,
        actions: [],
        issues,
      });
    },
  );

  it("a port among the options is refused, not ignored", async () => {
    const clock = createVirtualClock();
    const options = { killSwitch: createManualKillSwitch() } as DurableExecuteOptions;
    const { report } = await clock.run(() => runDurably({ clock, decision, executor, options }));
    expect(report).toMatchObject({
      status: "denied",
      reason: "invalid_options",
      issues: [{ path: "options.killSwitch" }],
    });
  });

  it("a listener that is none is refused, as in one process", async () => {
    const clock = createVirtualClock();
    const { report } = await clock.run(() =>
      runDurably({ clock, decision, executor, ports: { onEvent: "told" as never } }),
    );
    expect(report).toMatchObject({
      status: "denied",
      reason: "invalid_options",
      issues: [{ path: "options.onEvent" }],
    });
  });
});
