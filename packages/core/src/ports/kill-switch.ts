/** What a kill switch says. `reason` is for who looks at the switch: no report, event or journal has it. */
export interface KillSwitchState {
  halted: boolean;
  reason?: string;
}

/**
 * Stops executions (S2). Read before every dispatch; `subscribe`, where there is one, also stops what is in flight.
 * A read that throws, rejects, hangs or returns anything else denies the action that asked.
 */
export interface KillSwitch {
  read(): KillSwitchState | Promise<KillSwitchState>;
  /** Calls `listener` on every change until the returned function is called. */
  subscribe?(listener: (state: KillSwitchState) => void): () => void;
}
