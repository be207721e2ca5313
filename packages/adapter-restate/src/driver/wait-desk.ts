import type { EngineRecord } from "./engine-record.js";
import { listenForHalt, lookForHalt, type Vigil } from "./halt-vigil.js";
import type { KeyDesk } from "./key-desk.js";
import type { Shop } from "./shop.js";

/** The name under which a halt is listened for in waits. */
export const VIGIL = "vigil";

/** Something that is waited for until `at`, since the machine said so. */
interface Span {
  readonly at: number;
  readonly since: number;
}

/** The machine's waits: timers of the engine's, and an ear for a halt meanwhile. */
export class WaitDesk {
  readonly #shop: Shop;
  readonly #record: EngineRecord;
  readonly #keys: KeyDesk;
  /** What the machine has set, by action. */
  readonly #due = new Map<number, Span>();
  /** Until when the outside world may answer, by action that asks it. */
  readonly #asked = new Map<number, Span>();
  readonly #over = new AbortController();

  constructor(shop: Shop, record: EngineRecord, keys: KeyDesk) {
    this.#shop = shop;
    this.#record = record;
    this.#keys = keys;
  }

  get isEmpty(): boolean {
    return this.#due.size === 0;
  }

  setTimer(action: number, at: number): void {
    this.#due.set(action, { at, since: this.#shop.machine.at });
    this.#giveToEngine(action, at);
  }

  clearTimer(action: number): void {
    this.#due.delete(action);
    this.#record.drop(`timer ${action}`);
  }

  /** The outside world is asked what became of an attempt: a halt is to be heard of meanwhile. */
  ask(action: number, limitAt: number): void {
    this.#asked.set(action, { at: limitAt, since: this.#shop.machine.at });
  }

  answered(action: number): void {
    this.#asked.delete(action);
  }

  /** Before a wait that may outlast this process: events are handed on and claims renewed. */
  async prepare(): Promise<void> {
    if (this.#spans().length === 0) return;
    const { machine, ports } = this.#shop;
    const rests = !this.isEmpty && (await this.#keys.renewUntil(this.#lastDue()));
    if (!rests) await this.#record.flush();
    if (ports.killSwitch?.subscribe !== undefined && machine.halt === undefined) this.#keepVigil(machine.at);
  }

  #giveToEngine(action: number, at: number): void {
    const name = `timer ${action}`;
    this.#record.wait(name, this.#record.timer(name, at), async () => {
      // The engine says that the time has come, not what time it is: this process may have been away for long.
      const woken = await this.#record.step("wake", async () => ({ at: this.#shop.now() }));
      this.#due.delete(action);
      this.#record.news({ type: "timer", action }, Math.max(Math.ceil(at), woken.at));
    });
  }

  #spans(): readonly Span[] {
    return [...this.#due.values(), ...this.#asked.values()];
  }

  #lastDue(): number {
    return Math.max(...this.#spans().map(({ at }) => at));
  }

  /** Listens for a halt for a while; a longer wait is broken by looks, between which the process may rest. */
  #keepVigil(now: number): void {
    if (this.#spans().length === 0 || this.#record.waits(VIGIL)) return;
    const { haltWatchMs } = this.#shop;
    const { engine } = this.#record;
    const until = Math.max(...this.#spans().map(({ at, since }) => Math.min(at, since + haltWatchMs)));
    const over = (vigil: Vigil) => this.#vigilOver(vigil);
    if (until > now) {
      const ends = [this.#over.signal, engine.attemptOver];
      const listening = engine.step("listen for a halt", () => listenForHalt(this.#shop, until - now, ends));
      this.#record.wait(VIGIL, listening, over);
    } else {
      const rest = this.#record.timer("rest", now + Math.max(1, Math.min(haltWatchMs, this.#lastDue() - now)));
      const look = () => this.#record.step("look for a halt", () => lookForHalt(this.#shop));
      this.#record.wait(VIGIL, rest, async () => over(await look()));
    }
  }

  #vigilOver({ halted, at }: Vigil): void {
    if (halted) this.#record.news({ type: "halt", cause: "kill_switch" }, at);
    else this.#keepVigil(at);
  }

  /** The execution has ended: nobody listens any more. */
  end(): void {
    this.#over.abort();
  }
}
