import type { ExecutionEvent, ExecutionPlan, ExecutionPolicy, ExecutionReport } from "@eoc/core";
import type { World } from "../world.js";
import type { Story } from "./story.js";

/** One execution as the checks see it. */
export interface Run {
  readonly plan: ExecutionPlan;
  readonly policy: ExecutionPolicy;
  readonly events: readonly ExecutionEvent[];
  readonly report: ExecutionReport;
  readonly story: Story;
  readonly world: Pick<World, "effects"> | undefined;
  /** How late timers may have been. */
  readonly slackMs: number;
  readonly secrets: readonly string[];
}
