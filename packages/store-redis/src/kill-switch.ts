import type { KillSwitch, KillSwitchState } from "@eoc/core";
import { checkDuration, encodeKey, SwitchWatch, type VersionedState } from "@eoc/store-kit";
import { Calls, type Reply } from "./calls.js";
import type { RedisListening } from "./client.js";
import { type RedisOptions, settingsOf } from "./options.js";
import { StoreError } from "./store-error.js";
import { SWITCH_SCRIPT } from "./switch-script.js";

/** So much of a reason, and of a name, is kept, as in every store. */
const TEXT_LENGTH = 500;

/** Options of {@link createRedisKillSwitch}. Times are milliseconds. */
export interface RedisKillSwitchOptions extends RedisOptions {
  /** Which switch: executions that share a name are stopped together. @defaultValue "default" */
  name?: string;
  /** How often the state is read while anybody has subscribed, whatever is heard in between. @defaultValue 1000 */
  pollMs?: number;
}

/** What the switch says, and who made it say so. */
export interface RedisKillSwitchState extends KillSwitchState {
  changedBy?: string;
  /** By the server's clock. Absent when nobody has ever touched the switch. */
  changedAtMs?: number;
}

/** A kill switch that rejects with a `StoreError` when its state cannot be read: whoever asked is denied (S2.3). */
export interface RedisKillSwitch extends KillSwitch {
  /** Asks the server, every time. */
  read(): Promise<RedisKillSwitchState>;
  /**
   * Watches from the first subscription until `close`, over a connection of its own. While the state is out of reach,
   * listeners have been told `halted: true`.
   * @throws StoreError `closed`
   */
  subscribe(listener: (state: KillSwitchState) => void): () => void;
  /** Resolves when the halt is there and on its way. The first 500 characters of `reason` and `by` are kept. */
  halt(reason?: string, by?: string): Promise<void>;
  /** Lets new executions dispatch again. */
  clear(by?: string): Promise<void>;
  /** Stops watching and ends the connection that listens. The client stays open. */
  close(): Promise<void>;
}

/**
 * A switch in a Redis that processes share (S2): a halt is published, and polled for as well. A failover that loses
 * writes may lose a halt: throw it again.
 * @throws EocError `invalid_option`
 */
export function createRedisKillSwitch(options: RedisKillSwitchOptions): RedisKillSwitch {
  const settings = settingsOf(options);
  const { name = "default", pollMs = 1000 } = options;
  checkDuration("pollMs", pollMs);
  const calls = new Calls(settings);
  const key = `switch:${encodeKey(name)}`;
  const channel = `${settings.tag}:${key}:news`;
  const read = async () => stateOf(await calls.run(SWITCH_SCRIPT, [key], ["read"]));
  const watch = new SwitchWatch<RedisListening>({
    clock: settings.clock,
    inTime: calls,
    pollMs,
    listen: (hooks) => settings.commands.listen(channel, hooks),
    poll: async (listening) => {
      await listening?.ping();
      return read();
    },
    parse,
  });

  const set = async (halted: "1" | "0", reason: string | undefined, by: string | undefined) => {
    const values = ["set", halted, keptOf(reason), channel, keptOf(by)];
    watch.learn(stateOf(await calls.run(SWITCH_SCRIPT, [key], values)));
  };

  return {
    read: async () => (await read()).state,
    subscribe: (listener) => watch.subscribe(listener),
    halt: (reason, by) => set("1", reason, by),
    clear: (by) => set("0", undefined, by),
    async close() {
      await watch.close();
      await calls.close();
    },
  };
}

function stateOf([version, halted, reasonText, byText, changed]: Reply): VersionedState<RedisKillSwitchState> {
  const reason = textOf(reasonText);
  const changedBy = textOf(byText);
  if ((halted !== "0" && halted !== "1") || reason === undefined || changedBy === undefined) {
    throw new StoreError("corrupt", "the switch is not what this package writes");
  }
  return {
    version: Number(version),
    state: {
      halted: halted === "1",
      ...(reason === null ? undefined : { reason }),
      ...(changedBy === null ? undefined : { changedBy }),
      ...(changed ? { changedAtMs: Math.floor(Number(changed)) } : undefined),
    },
  };
}

function keptOf(text: string | undefined): string {
  return JSON.stringify(text?.slice(0, TEXT_LENGTH) ?? null);
}

function textOf(stored: string | undefined): string | null | undefined {
  try {
    const text: unknown = JSON.parse(stored ?? "");
    return text === null || typeof text === "string" ? text : undefined;
  } catch {
    return undefined;
  }
}

/** The news of a message; undefined when it is none of ours. */
function parse(message: string): VersionedState | undefined {
  const [, version, halted, reason] = /^(\d+) ([01]) ([\s\S]*)$/.exec(message) ?? [];
  try {
    return version === undefined ? undefined : stateOf([version, halted!, reason!, "null", ""]);
  } catch {
    return undefined;
  }
}
