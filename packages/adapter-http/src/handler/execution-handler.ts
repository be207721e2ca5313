import { isThenable } from "../or-aborted.js";
import { type Answer, ask } from "./ask.js";
import { checkHandlerOptions } from "./check-options.js";
import { type ChangeSwitch, showSwitch, stateOf, throwSwitch } from "./control.js";
import { createEventStreams } from "./event-stream.js";
import { createExecuteRoute, showExecution } from "./execute-route.js";
import { createExecutionMemory } from "./execution-memory.js";
import type { ExecutionHandler, ExecutionHandlerOptions, HandlerFault } from "./options.js";
import { json, problem } from "./problem.js";
import { readJson } from "./read-json.js";
import { createRequestRate } from "./request-rate.js";

/** What serves a path, by method; and who is let in. */
interface Route {
  readonly guard: (request: Request) => Promise<Response | undefined>;
  readonly GET?: (request: Request) => Response | Promise<Response>;
  readonly POST?: (request: Request) => Response | Promise<Response>;
}

/**
 * Makes a handler that executes decisions over HTTP: `POST /execute`, `GET /executions/:id`, `GET /executions/:id/events` as server-sent
 * events, `GET` and `POST /control` for the kill switch, `GET /health`. It uses web standards only, and fails closed: what cannot be
 * checked is refused. An execution whose caller is gone goes on, unless `onDisconnect` says otherwise.
 * @throws EocError `invalid_option`, also where `execute` would refuse every decision, or `invalid_policy`.
 */
export function createExecutionHandler(options: ExecutionHandlerOptions): ExecutionHandler {
  const settings = checkHandlerOptions(options);
  const { clock, policy, authorize, control, limits, basePath } = settings;
  const { portTimeoutMs } = policy.timeout;
  const { killSwitch } = settings.ports ?? {};

  const fail = (fault: HandlerFault, error: unknown) => {
    try {
      const heard: unknown = settings.onError?.(error, fault);
      if (isThenable(heard)) heard.then(undefined, () => {});
    } catch {
      // It observes only.
    }
  };
  const memory = createExecutionMemory(settings.remember ?? {}, clock);
  const executeRoute = createExecuteRoute({ settings, memory, fail });
  const requestRate = createRequestRate({ settings, fail });
  const streamEvents = createEventStreams(settings);

  const readSwitch = async () => {
    if (killSwitch === undefined) return { halted: false };
    const answer: Answer<unknown> = await ask(clock, portTimeoutMs, () => killSwitch.read());
    const state = stateOf(answer);
    if (state === undefined) fail("kill_switch", answer.ok ? new Error("not a kill switch state") : answer.error);
    return state;
  };

  async function mayExecute(request: Request): Promise<Response | undefined> {
    if (authorize === "none") return undefined;
    const answer: Answer<unknown> = await ask(clock, portTimeoutMs, () => authorize(request));
    if (!answer.ok) {
      fail("authorize", answer.error);
      return problem("authorization_unavailable");
    }
    return answer.value === true ? undefined : problem("not_authorized");
  }

  const routes = (path: string): Route | undefined => {
    if (path === "/execute") {
      return { guard: mayExecute, POST: (request) => requestRate(request, () => executeRoute(request)) };
    }
    if (path === "/health") return { guard: async () => undefined, GET: async () => health(await readSwitch()) };
    if (path === "/control" && control !== undefined) {
      const { killSwitch, mayControl } = control;
      const changeSwitch: ChangeSwitch = async (change) => {
        const changed = await ask(clock, portTimeoutMs, () => change(killSwitch));
        if (!changed.ok) throw changed.error;
      };
      return {
        guard: async (request) =>
          (await mayControl(request)) ? undefined : problem("not_authenticated", { "www-authenticate": "Bearer" }),
        GET: () => showSwitch(readSwitch),
        async POST(request) {
          const read = await readJson(request, limits);
          if (read instanceof Response) return read;
          try {
            return await throwSwitch(read.value, changeSwitch, readSwitch);
          } catch (error) {
            fail("kill_switch", error);
            return problem("kill_switch_unavailable");
          }
        },
      };
    }
    const [, id = "", events] = /^\/executions\/([0-9a-f]{32})(\/events)?$/.exec(path) ?? [];
    if (id === "") return undefined;
    return {
      guard: mayExecute,
      GET(request) {
        const remembered = memory.find(id);
        if (remembered === undefined) return problem("not_found");
        return events === undefined ? showExecution(remembered) : streamEvents(remembered.log, request);
      },
    };
  };

  return async (request) => {
    try {
      const { pathname } = new URL(request.url);
      const route = pathname.startsWith(`${basePath}/`) ? routes(pathname.slice(basePath.length)) : undefined;
      if (route === undefined) return problem("not_found");
      const isHead = request.method === "HEAD";
      const serve = isHead
        ? route.GET
        : request.method === "GET"
          ? route.GET
          : request.method === "POST"
            ? route.POST
            : undefined;
      if (serve === undefined) return problem("method_not_allowed", { allow: allowedBy(route) });
      const response = (await route.guard(request)) ?? (await serve(request));
      return isHead ? new Response(null, response) : response;
    } catch (error) {
      fail("handler", error);
      return problem("internal_error");
    }
  };
}

function health(state: { halted: boolean } | undefined): Response {
  return state === undefined
    ? problem("kill_switch_unavailable")
    : json(200, { status: state.halted ? "halted" : "ok" });
}

function allowedBy({ GET, POST }: Route): string {
  return [...(GET ? ["GET", "HEAD"] : []), ...(POST ? ["POST"] : [])].join(", ");
}
