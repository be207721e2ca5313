import { createServer, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { Agent } from "undici";
import { createHttpExecutor } from "../src/index.js";
import { anAction, anAttempt, closed, happening, listen } from "./support.js";
import { OK, type WireCase } from "./wire-cases.js";

/** A server that applies `effects` of each `POST`, and misbehaves when the case says so. */
async function openWorld({ answer, as = "the request was read", first }: WireCase, effects: 0 | 1) {
  const open = new Set<Socket>();
  const world = {
    origin: "",
    ledger: [] as string[],
    paths: [] as string[],
    /** Called whenever the server has misbehaved. */
    onMisbehaved: () => {},
    /** The connection of the first request is gone on both sides. */
    firstClosed: happening(),
    open,
    /** Resolves when the last connection is gone. */
    closed: async () => {},
  };
  let requests = 0;
  const server = createServer((socket) => {
    open.add(socket.on("close", () => open.delete(socket)).on("error", () => {}));
    const misbehave = (applies: boolean) => {
      if (applies && effects === 1) world.ledger.push("order");
      answer?.(socket, world.origin);
      world.onMisbehaved();
    };
    if (as === "the connection is made") return misbehave(true);
    let text = "";
    let answered = false;
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
      const headLength = text.indexOf("\r\n\r\n") + 4;
      if (headLength < 4) return;
      const bodyLength = Number(/content-length: (\d+)/i.exec(text.slice(0, headLength))?.[1] ?? 0);
      const whole = text.length >= headLength + bodyLength;
      const [method = "", path = ""] = text.split(" ");
      if (!answered && (whole || as === "the head was read")) {
        answered = true;
        world.paths.push(path);
        const isFirst = first !== undefined && requests++ === 0;
        if (!isFirst) misbehave(method === "POST");
        else {
          socket.on("close", world.firstClosed.happened);
          socket.write(OK, () => first === "closes the connection" && socket.end());
        }
      }
      if (!whole) return;
      text = "";
      answered = false;
    });
  });
  world.origin = await listen(server);
  if (answer === undefined) await closed(server);
  else world.closed = () => closed(server);
  return world;
}

/** A server that misbehaves, an executor for it over connections of its own, and the client's side of the case. */
export async function openWire(wireCase: WireCase, method: "GET" | "POST", effects: 0 | 1, giveUp: () => void) {
  const world = await openWorld(wireCase, effects);
  const dispatcher = new Agent();
  const executor = createHttpExecutor({
    request: () => ({ method, url: `${world.origin}/orders`, ...(method === "POST" ? { body: { amount: 5 } } : {}) }),
    allowedOrigins: [world.origin],
    allowPrivateAddresses: true,
    maxResponseBytes: 1000,
    dispatcher,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (wireCase.abort === "after the head") giveUp();
      return response;
    },
  });
  if (wireCase.first !== undefined) {
    await executor.execute(anAction(), anAttempt());
    if (wireCase.first === "closes the connection") await world.firstClosed.once;
    // The platform hands the connection back a turn after the body has ended.
    for (let turn = 0; turn < 3; turn++) await setImmediate();
  }
  if (wireCase.abort === "before the answer") world.onMisbehaved = giveUp;
  const destroy = async () => {
    await dispatcher.destroy();
    for (const socket of world.open) socket.destroy();
    await world.closed();
  };
  return { world, executor, dispatcher, destroy };
}
