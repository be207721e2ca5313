import type { NaiveBelief } from "../engine/run-naive.js";

/** What the page is told by the server that it is served from: in a `meta` element of this name. */
export const LIVE_META = "eoc-live";

export interface LiveOffer {
  /** Bearer token of this server: for runs, and for the kill switch. */
  readonly token: string;
  /** Where the outside world answers. */
  readonly world: string;
}

/** `POST /live/runs` takes the editors' texts, and answers with this. */
export interface LiveRunStarted {
  readonly id: string;
  readonly startedAtMs: number;
}

/** One message of `GET /live/runs/:id/world`. Times are milliseconds since the start of the run. */
export type WorldMessage =
  | { readonly type: "request"; readonly side: "eoc" | "naive"; readonly actionId: string; readonly atMs: number }
  | { readonly type: "effect"; readonly side: "eoc" | "naive"; readonly actionId: string; readonly atMs: number }
  | { readonly type: "attempt.started"; readonly actionId: string; readonly number: number; readonly atMs: number }
  | {
      readonly type: "attempt.finished";
      readonly actionId: string;
      readonly number: number;
      readonly atMs: number;
      readonly came: "ok" | "refused" | "no_reply" | "timeout";
    }
  | { readonly type: "naive.finished"; readonly belief: NaiveBelief; readonly atMs: number };
