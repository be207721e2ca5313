import { readFile, writeFile } from "node:fs/promises";
import { Agent, createServer as createHttpServer, request } from "node:http";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { createVirtualClock, isDeadlockError } from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import { attemptsThatRan } from "./support.js";

const realTimer = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function listening<T extends Server>(server: T): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

describe("time stands still while an attempt does real work, and four of four run", () => {
  const signing = crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const file = join(tmpdir(), `eoc-testkit-${process.pid}.txt`);
  const kinds: Record<string, (number: number) => Promise<unknown>> = {
    "a real timer of 2 ms": () => realTimer(2),
    "a real timer of 3 ms": () => realTimer(3),
    "real timers one after the other": async () => {
      for (let count = 0; count < 5; count++) await realTimer(1);
    },
    setImmediate: () => new Promise((resolve) => setImmediate(resolve)),
    "setImmediate a hundred deep": async () => {
      for (let count = 0; count < 100; count++) await new Promise((resolve) => setImmediate(resolve));
    },
    "a thousand promise hops": async () => {
      for (let count = 0; count < 1000; count++) await null;
    },
    "ticks and microtasks in turn": async () => {
      for (let count = 0; count < 50; count++) {
        await new Promise<void>((resolve) => process.nextTick(resolve));
        await new Promise<void>((resolve) => queueMicrotask(resolve));
      }
    },
    "a file": async (number) => {
      await writeFile(file, `${number}`);
      expect(await readFile(file, "utf8")).toBe(`${number}`);
    },
    "a digest by WebCrypto": () => crypto.subtle.digest("SHA-256", new Uint8Array(1000)),
    "a signature by WebCrypto": async () =>
      crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, (await signing).privateKey, new Uint8Array(10)),
    compression: () => promisify(gzip)("x".repeat(100_000)),
    "a message to itself": () =>
      new Promise<void>((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          port1.close();
          resolve();
        };
        port2.postMessage("hello");
      }),
  };
  for (const [kind, attempt] of Object.entries(kinds)) {
    it(kind, async () => {
      await signing;
      const clock = createVirtualClock();
      expect(await clock.run(() => attemptsThatRan(clock, 4, attempt))).toBe(4);
      expect(clock.monotonic()).toBe(3000);
    });
  }

  it("a socket", async () => {
    const server = createServer((socket) => socket.on("data", (data) => socket.end(data)));
    const port = await listening(server);
    const clock = createVirtualClock();
    const echo = (number: number) =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(port, "127.0.0.1", () => socket.write(`${number}`));
        let received = "";
        socket.on("data", (data) => {
          received += data;
        });
        socket.on("error", reject);
        socket.on("close", () => (received === `${number}` ? resolve() : reject(new Error(`received ${received}`))));
      });
    expect(await clock.run(() => attemptsThatRan(clock, 4, echo))).toBe(4);
    await new Promise((resolve) => server.close(resolve));
  });

  it("an HTTP server that answers after a real timer and keeps its connections open", async () => {
    const server = createHttpServer((_request, response) => {
      setTimeout(() => response.end("hello"), 3);
    });
    server.keepAliveTimeout = 600_000;
    const port = await listening(server);
    // Were open connections taken for work, this would take ten minutes.
    const clock = createVirtualClock({ realWorkPatienceMs: 600_000 });
    const get = async () => (await fetch(`http://127.0.0.1:${port}`)).text();
    expect(await clock.run(() => attemptsThatRan(clock, 4, get))).toBe(4);
    server.closeAllConnections();
    server.close();
  });

  it("a request over a connection that was open before the clock was made", async () => {
    const server = createHttpServer((_request, response) => {
      response.write("hel");
      // What the server waits for does not show, as if it were in another process.
      setTimeout(() => response.end("lo"), 3).unref();
    });
    const port = await listening(server);
    const url = `http://127.0.0.1:${port}`;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ways = {
      fetch: async () => expect(await (await fetch(url)).text()).toBe("hello"),
      "node:http": () =>
        new Promise((resolve, reject) => {
          request(url, { agent }, (response) => response.resume().on("end", resolve))
            .on("error", reject)
            .end();
        }),
    };
    for (const [way, send] of Object.entries(ways)) {
      for (let test = 0; test < 5; test++) {
        const clock = createVirtualClock();
        expect(await clock.run(() => attemptsThatRan(clock, 4, send)), `${way}, clock ${test}`).toBe(4);
      }
    }
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });

  it("an answer over a connection that was open before the clock was made, or was idle for the whole patience", async () => {
    // Answers in two pieces, by a timer that does not show, as if it were in another process.
    const server = createServer({ noDelay: true }, (socket) =>
      socket.on("data", (data) => {
        const answer = () => {
          socket.write(data.subarray(0, 1));
          setTimeout(() => socket.write(data.subarray(1)), 0).unref();
        };
        setTimeout(answer, 3).unref();
      }),
    );
    const port = await listening(server);
    const socket = connect(port, "127.0.0.1");
    await new Promise<void>((resolve) => socket.on("connect", resolve));
    const query = (number: number) =>
      new Promise<void>((resolve) => {
        let received = "";
        socket.on("data", (data) => {
          received += data;
          if (received !== `q${number}`) return;
          socket.removeAllListeners("data");
          resolve();
        });
        socket.write(`q${number}`);
      });
    for (let test = 0; test < 3; test++) {
      const clock = createVirtualClock({ realWorkPatienceMs: 50 });
      expect(await clock.run(() => attemptsThatRan(clock, 4, query))).toBe(4);
    }
    socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it("once, until the patience ends, for an answer that never comes", async () => {
    const server = createServer((socket) => socket.resume());
    const port = await listening(server);
    const socket = connect(port, "127.0.0.1");
    await new Promise<void>((resolve) => socket.on("connect", resolve));
    const clock = createVirtualClock({ realWorkPatienceMs: 100 });
    const begun = performance.now();
    // Were it waited for before each of two hundred steps, this would take twenty seconds.
    const log = async () => void socket.write("a line of a log");
    expect(await clock.run(() => attemptsThatRan(clock, 100, log))).toBe(100);
    expect(performance.now() - begun).toBeGreaterThan(99);
    socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it("no longer than the patience where a request is never answered, and then the next one too", async () => {
    const server = createHttpServer((request, response) => {
      if (request.url !== "/never") setTimeout(() => response.end("hello"), 3).unref();
    });
    const port = await listening(server);
    const clock = createVirtualClock({ realWorkPatienceMs: 100 });
    const abort = new AbortController();
    const ran = await clock.run(async () => {
      const never = fetch(`http://127.0.0.1:${port}/never`, { signal: abort.signal }).catch(() => "aborted");
      await clock.sleep(1000);
      const count = await attemptsThatRan(clock, 4, async () => (await fetch(`http://127.0.0.1:${port}`)).text());
      abort.abort();
      await never;
      return count;
    });
    expect(ran).toBe(4);
    server.closeAllConnections();
    server.close();
  });

  it("work that had begun when the clock was told to run or to advance", async () => {
    for (const drive of ["run", "advance", "runUntilIdle"] as const) {
      const clock = createVirtualClock();
      const ran = attemptsThatRan(clock, 4, () => realTimer(3));
      if (drive === "run") await clock.run(() => ran);
      else if (drive === "advance") await clock.advance(60_000);
      else await clock.runUntilIdle();
      expect(await ran).toBe(4);
    }
  });

  it("on several clocks at once, which do not wait for each other", async () => {
    const go = () => {
      const clock = createVirtualClock({ realWorkPatienceMs: 600_000 });
      return clock.run(() => attemptsThatRan(clock, 100, () => new Promise((resolve) => setImmediate(resolve))));
    };
    expect(await Promise.all([go(), go(), go()])).toEqual([100, 100, 100]);
  });
});

describe("VirtualClock.hold", () => {
  it("keeps time still until the promise settles, and passes its value or error on", async () => {
    const clock = createVirtualClock();
    // Unref'ed: the platform does not show it.
    const unseen = () => new Promise<string>((resolve) => setTimeout(() => resolve("seen"), 3).unref());
    const ran = await clock.run(() => attemptsThatRan(clock, 4, () => clock.hold("unseen work", unseen())));
    expect(ran).toBe(4);
    expect(await clock.hold("at once", Promise.resolve(7))).toBe(7);
    await expect(clock.hold("broken", Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  it("fails by name what waits for work that outlasts the patience", async () => {
    const clock = createVirtualClock({ realWorkPatienceMs: 10 });
    const running = clock.run(() => attemptsThatRan(clock, 1, () => clock.hold("the worker", new Promise(() => {}))));
    const error = await running.catch((reason: unknown) => reason);
    expect(isDeadlockError(error)).toBe(true);
    expect(String(error)).toMatch(/the worker +real work/);
    // And is done with it.
    await clock.run(() => clock.sleep(10_000));
    expect(clock.monotonic()).toBe(10_000);
  });
});

describe("real work that shows no sign of life", () => {
  it("is waited for once, until the patience ends, and then taken for idle, whoever began it", async () => {
    const clock = createVirtualClock({ realWorkPatienceMs: 100 });
    const idle = [setInterval(() => {}, 3_600_000)];
    const begun = performance.now();
    // Were it waited for before each of two hundred steps, this would take twenty seconds.
    const ran = await clock.run(() => {
      idle.push(setInterval(() => {}, 3_600_000));
      return attemptsThatRan(clock, 100, async () => {});
    });
    for (const timer of idle) clearInterval(timer);
    expect(ran).toBe(100);
    expect(performance.now() - begun).toBeGreaterThan(99);
  });
});
