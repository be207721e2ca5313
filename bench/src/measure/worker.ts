import { workNamed } from "../works/index.ts";
import type { Answer, Order } from "./protocol.ts";
import { median } from "./results.ts";

/** The process of one contestant: `node worker.ts <work> <contestant>`, told what to do over IPC. */
const [, , workName = "", contestantName = ""] = process.argv;
const contestant = await workNamed(workName).contestants[contestantName]!();
let count = 1;

/** CPU time of the whole process, its compiler and collector threads included. */
async function cpuNsOf(operations: number): Promise<number> {
  const before = process.cpuUsage();
  await contestant.run(operations);
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}

async function warm(warmMs: number, sliceMs: number): Promise<number> {
  let operations = 1;
  let spentNs = 0;
  let perOperation = Number.POSITIVE_INFINITY;
  while (spentNs < warmMs * 1e6) {
    const ns = await cpuNsOf(operations);
    spentNs += ns;
    perOperation = ns / operations;
    if (ns < warmMs * 1e5) operations *= 2;
  }
  return Math.max(1, Math.round((sliceMs * 1e6) / perOperation));
}

/** Needs a young generation so large that none of it is collected on the way. */
async function bytesPerOperation(warmMs: number): Promise<number> {
  const operations = Math.min(await warm(warmMs, 10), 4000);
  const samples: number[] = [];
  for (let sample = 0; sample < 5; sample++) {
    globalThis.gc!();
    const before = process.memoryUsage().heapUsed;
    await contestant.run(operations);
    samples.push((process.memoryUsage().heapUsed - before) / operations);
  }
  return median(samples);
}

async function obey(order: Order): Promise<Answer> {
  switch (order.order) {
    case "warm":
      if (order.count === undefined) {
        count = await warm(order.warmMs, order.sliceMs);
      } else {
        count = order.count;
        await contestant.run(Math.min(count, 5000));
      }
      return { answer: "warm", count };
    case "slice":
      return { answer: "slice", cpuNs: (await cpuNsOf(count)) / count };
    case "bytes":
      return { answer: "bytes", bytes: await bytesPerOperation(order.warmMs) };
    case "gauges": {
      const gauges: Record<string, number> = {};
      for (const [name, gauge] of Object.entries(contestant.gauges ?? {})) gauges[name] = await gauge();
      return { answer: "gauges", gauges };
    }
  }
}

process.on("message", (order: Order) => {
  obey(order).then(
    (answer) => process.send!(answer),
    (error: unknown) =>
      process.send!({
        answer: "failed",
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
  );
});
