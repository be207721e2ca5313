import type { ExecutionReport } from "@eoc/core";
import { type Command, type Input, reportOf, step } from "@eoc/core/machine";
import type { Engine } from "../engine.js";
import { EngineRecord } from "./engine-record.js";
import { ExecutorDesk } from "./executor-desk.js";
import { leave } from "./hear-late.js";
import { KeyDesk } from "./key-desk.js";
import { PermitDesk } from "./permit-desk.js";
import { askGates, type PortResult, reconcile, takeRetry } from "./port-steps.js";
import type { Shop } from "./shop.js";
import type { Track } from "./track.js";
import { VIGIL, WaitDesk } from "./wait-desk.js";

/**
 * Carries the machine's commands out over a durable engine. Whatever asks the outside is one step on the engine's record,
 * and one is taken at a time; only executors, timers and reconcile are waited for side by side, in the order of the
 * record. So a replay feeds the machine the same inputs, and the machine says the same.
 */
export class DurableDriver {
  readonly #shop: Shop;
  readonly #tracks: readonly Track[];
  readonly #record: EngineRecord;
  readonly #keys: KeyDesk;
  readonly #executors: ExecutorDesk;
  readonly #waits: WaitDesk;
  readonly #permits: PermitDesk;
  #finished = false;

  constructor(engine: Engine, given: Omit<Shop, "poke">) {
    this.#shop = { ...given, poke: () => this.#executors.poke() };
    this.#tracks = given.machine.actions.map(() => ({ timer: 0 }));
    this.#record = new EngineRecord(engine, this.#shop);
    this.#keys = new KeyDesk(this.#shop, this.#record, this.#tracks);
    this.#executors = new ExecutorDesk(this.#shop, this.#record, this.#keys, this.#tracks);
    this.#waits = new WaitDesk(this.#shop, this.#record, this.#keys);
    this.#permits = new PermitDesk(this.#shop, this.#record, this.#keys, this.#tracks);
  }

  async run(): Promise<ExecutionReport> {
    const { machine } = this.#shop;
    this.#record.engine.attemptOver.addEventListener("abort", () => this.#executors.poke(), { once: true });
    await this.#feed({ type: "start", at: 0 });
    while (!this.#finished) {
      const input = await this.#record.next();
      if (input === undefined) await this.#wait();
      else await this.#feed(input);
    }
    const { lost } = this.#record;
    // The end has not waited for what came of a late settlement, which changes no report (S4.5).
    for (let input = await this.#record.next(); input !== undefined; input = await this.#record.next()) {
      await this.#feed(input);
    }
    await this.#record.flush();
    this.#waits.end();
    this.#executors.poke();
    leave(this.#shop, this.#tracks);
    const report = reportOf(machine, (action) => {
      const { held } = this.#tracks[action]!;
      return held && { value: held.json };
    });
    if (lost) report.recordError = "journal_unavailable";
    return report;
  }

  async #feed(input: Input): Promise<void> {
    const { machine } = this.#shop;
    // Clocks of two processes differ, and steps are taken in the order of the record, not of their times.
    input.at = Math.max(machine.at, input.at);
    // Whoever was stopped meanwhile has no turn any more.
    if (input.type === "permit_turn" && machine.actions[input.action]!.phase !== "permit_line") return;
    for (const command of step(machine, input)) await this.#carryOut(command);
  }

  /** Nothing is left to be fed: waits for whatever comes first. */
  async #wait(): Promise<void> {
    this.#executors.watchAll();
    await this.#waits.prepare();
    // Where nobody is left to answer, an input that fits nowhere ends the execution, fail-closed.
    if (!(await this.#record.first())) await this.#feed({ type: "start", at: this.#shop.machine.at });
  }

  async #carryOut(command: Command): Promise<void> {
    switch (command.type) {
      case "emit":
        return this.#record.put({ type: "event", event: command.event });
      case "refill_retries":
        return this.#record.put({ type: "refill" });
      case "yield":
        return this.#record.news({ type: "resume" }, this.#shop.machine.at);
      case "set_timer":
        if (!this.#executors.setTimer(command.action, command.at)) this.#waits.setTimer(command.action, command.at);
        return;
      case "clear_timer":
        return this.#waits.clearTimer(command.action);
      case "derive_key":
      case "claim_key":
      case "start_key":
      case "record_key":
        return this.#keys.carryOut(command);
      case "ask_gates":
        this.#tracks[command.action]!.gatesAt = (await this.#port(command, () => askGates(this.#shop, command))).at;
        return;
      case "acquire_permit":
        return this.#permits.acquire(command);
      case "join_line":
        return this.#permits.joinLine(command);
      case "leave_line":
        return this.#permits.leaveLine(command);
      case "cancel_permit":
        return this.#permits.cancel(command);
      case "intend":
        return this.#executors.intend(command);
      case "read_switch":
        return this.#executors.effect(command, this.#nothingElseCanHappen());
      case "dispatch":
        return this.#executors.dispatched(command);
      case "abort":
        return this.#executors.abort(command);
      case "reconcile":
        return this.#reconcile(command);
      case "take_retry":
        await this.#port(command, () => takeRetry(this.#shop, command.action));
        return;
      case "finish":
        await this.#record.flush();
        this.#finished = true;
        return;
      default:
        // A bulkhead, which no execution here has.
        return;
    }
  }

  /** While an executor runs, that is: then one step is enough for the dispatch and what comes of it. */
  #nothingElseCanHappen(): boolean {
    const { policy, plan, next, actions } = this.#shop.machine;
    // A HOLD needs no slot: its row is written as soon as the dispatch is made.
    if (policy.maxConcurrency > 1 || plan.actions[next]?.action === "HOLD") return false;
    // Who waits for the slot ends at the deadline, whether or not the timer for it has been set by now.
    if (actions.some(({ phase }) => phase === "slot")) return false;
    return this.#waits.isEmpty && this.#record.waitsForNothingBut(VIGIL);
  }

  async #port(command: Command & { action: number }, work: () => Promise<PortResult>): Promise<PortResult> {
    const result = await this.#record.step(`${command.type} ${command.action}`, () => this.#keys.renewing(work));
    this.#record.news(result.news, result.at);
    return result;
  }

  async #reconcile(command: Command & { type: "reconcile" }): Promise<void> {
    await this.#record.flush();
    const name = `reconcile ${command.action}`;
    const asked = this.#record.engine.step(name, () => this.#keys.renewing(() => reconcile(this.#shop, command)));
    this.#waits.ask(command.action, command.limitAt);
    this.#record.wait(name, asked, ({ news, at, held }) => {
      this.#waits.answered(command.action);
      if (held !== undefined) this.#tracks[command.action]!.held = held;
      this.#record.news(news, at);
    });
  }
}
