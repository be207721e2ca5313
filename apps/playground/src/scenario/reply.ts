/** What the world does with one request to act. */
export interface Reply {
  readonly status: number;
  /** Whether the effect happens. */
  readonly applied: boolean;
  /** Closes the connection instead of answering. */
  readonly dropReply: boolean;
  /** Answers so much later; the effect has happened by then. */
  readonly slowMs: number;
  /** Never answers. */
  readonly hang: boolean;
  /** The sender takes so long to prepare the request. Until then nothing has left it. */
  readonly prepareMs: number;
  /** The process that sent the request dies right after. */
  readonly crash: boolean;
  /** Seconds, sent as `Retry-After`: until then the action is answered like this. */
  readonly retryAfter?: number;
}

export interface WorldScript {
  readonly honoursIdempotencyKey: boolean;
  /** Replies to the first requests of an action, by its id; `*` stands for any other. After them all goes well. */
  readonly replies: ReadonlyMap<string, readonly Reply[]>;
}

/** What happens when nothing else is said. */
export const GOES_WELL: Reply = {
  status: 200,
  applied: true,
  dropReply: false,
  slowMs: 0,
  hang: false,
  prepareMs: 0,
  crash: false,
};

/** The reply to request `number` (from 0) of an action. */
export function replyTo({ replies }: WorldScript, actionId: string, number: number): Reply {
  return (replies.get(actionId) ?? replies.get("*"))?.[number] ?? GOES_WELL;
}
