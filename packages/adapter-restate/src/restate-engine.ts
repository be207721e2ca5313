import { CancelledError, type Context, RestatePromise, type Serde, serde } from "@restatedev/restate-sdk";
import { CANCELLED, type Engine } from "./engine.js";

/** The engine behind a Restate handler's context. */
export function restateEngine(ctx: Context): Engine {
  const { id, attemptCompletedSignal } = ctx.request();
  return {
    id,
    attemptOver: attemptCompletedSignal,
    step: (name, work) => ({ handle: ctx.run(name, work, { serde: jsonSerde() }) }),
    timer: (name, delayMs) => ({ handle: ctx.sleep(delayMs, name) }),
    async first(pending) {
      try {
        // A promise that a cancel has been told through is spoilt; the combinator made here is used once.
        return await RestatePromise.race(
          pending.map(({ handle }, index) =>
            (handle as RestatePromise<unknown>).map((value, failure) => {
              if (failure !== undefined) throw failure;
              return { index, value };
            }),
          ),
        );
      } catch (error) {
        if (error instanceof CancelledError) return CANCELLED;
        throw error;
      }
    },
  };
}

/** Plain JSON, whatever the service's own default is. */
export function jsonSerde<T>(): Serde<T> {
  return serde.json as Serde<T>;
}
