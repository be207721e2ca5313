import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PermitLine, type Ticket } from "../../src/local/permit-line.js";

/** A line in which everybody waits, and what he was told. */
function lineOf(size: number, keys: (who: number) => string[] = () => ["k"]) {
  const line = new PermitLine();
  const turns = new Array<number>(size).fill(0);
  const tickets = turns.map((_, who) => line.join(keys(who)));
  const wait = (who: number) => tickets[who]!.await(() => void turns[who]!++);
  for (const who of turns.keys()) wait(who);
  return { line, tickets, turns, wait };
}

describe("S6.3 the line for permits", () => {
  it("serves who has waited longest; those before are before, oneself is not", () => {
    const { line, tickets, turns } = lineOf(3);
    expect(turns).toEqual([1, 0, 0]);
    expect(line.before(["k"], undefined)).toBe(tickets[0]);
    expect(line.before(["k"], tickets[1])).toBe(tickets[0]);
    expect(line.before(["k"], tickets[0])).toBeUndefined();
    expect(line.before(["other"], undefined)).toBeUndefined();
    tickets[0]!.leave(false);
    expect(turns).toEqual([1, 1, 0]);
    expect(line.before(["k"], tickets[2])).toBe(tickets[1]);
  });

  it("gives no turn to who does not wait, or is left by, or has left", () => {
    const { tickets, turns, wait } = lineOf(4);
    tickets[2]!.leave(false);
    expect(turns).toEqual([1, 0, 0, 0]);
    tickets[0]!.leave(false);
    tickets[0]!.leave(true);
    expect(turns).toEqual([1, 1, 0, 0]);
    tickets[1]!.leave(false);
    expect(turns).toEqual([1, 1, 0, 1]);
    wait(3);
    expect(turns).toEqual([1, 1, 0, 2]);
  });

  it("calls twice as many with each permit, up to 64, and one again after a refusal", () => {
    const { tickets, turns } = lineOf(300);
    const called = () => turns.filter((times) => times > 0).length;
    const seen = [called()];
    for (let who = 0; who < 9; who++) {
      tickets[who]!.leave(true);
      seen.push(called() - who - 1);
    }
    expect(seen).toEqual([1, 2, 4, 8, 16, 32, 64, 64, 64, 64]);
    tickets[9]!.refused();
    tickets[9]!.leave(false);
    expect(called()).toBe(73);
    for (let who = 10; who < 73; who++) tickets[who]!.leave(false);
    expect(called()).toBe(74);
  });

  it("does not remember a line that has gone", () => {
    const { line, tickets } = lineOf(4);
    for (const ticket of tickets) ticket.leave(true);
    const [first, ...others] = [0, 1, 2, 3].map(() => line.join(["k"]));
    const turns = [0, 0, 0];
    others.forEach((ticket, who) => void ticket.await(() => void turns[who]!++));
    first!.leave(true);
    expect(turns).toEqual([1, 1, 0]);
    expect(line.before(["k"], others[0])).toBeUndefined();
  });

  it("lets nobody be early twice", () => {
    const { tickets, turns, wait } = lineOf(4);
    tickets[0]!.leave(true);
    expect(turns).toEqual([1, 1, 1, 0]);
    wait(2);
    tickets[3]!.leave(true);
    expect(turns).toEqual([1, 1, 1, 0]);
    tickets[1]!.leave(true);
    expect(turns).toEqual([1, 1, 2, 0]);
  });

  it("makes who waits for two keys the first for both", () => {
    const { tickets, turns } = lineOf(4, (who) => [["a"], ["b"], ["a", "b"], ["b"]][who]!);
    expect(turns).toEqual([1, 1, 0, 0]);
    tickets[0]!.leave(true);
    expect(turns).toEqual([1, 1, 0, 0]);
    tickets[1]!.leave(true);
    expect(turns).toEqual([1, 1, 1, 1]);
  });

  it("never leaves anybody without a turn, whoever leaves and whatever was granted", () => {
    const keys = fc.subarray(["a", "b", "c"], { minLength: 1 });
    const coming = fc.tuple(fc.constant("join"), keys);
    const going = fc.tuple(fc.constantFrom("leave", "refused", "again"), fc.nat(9), fc.boolean());
    fc.assert(
      fc.property(fc.array(fc.oneof(coming, going), { maxLength: 40 }), (steps) => {
        const line = new PermitLine();
        const inside: { ticket: Ticket; keys: string[]; waits: boolean; vain: number }[] = [];
        const isFirst = (one: (typeof inside)[number]) =>
          inside.slice(0, inside.indexOf(one)).every((other) => !other.keys.some((key) => one.keys.includes(key)));
        const wait = (one: (typeof inside)[number]) => {
          one.waits = true;
          one.ticket.await(() => {
            one.waits = false;
            if (!isFirst(one)) one.vain++;
          });
        };
        for (const step of steps) {
          if (step[0] === "join") {
            const one = { ticket: line.join(step[1] as string[]), keys: step[1] as string[], waits: false, vain: 0 };
            inside.push(one);
            wait(one);
          } else {
            const one = inside[(step[1] as number) % inside.length];
            if (one === undefined) continue;
            if (step[0] === "refused") one.ticket.refused();
            else if (step[0] === "again") wait(one);
            else {
              inside.splice(inside.indexOf(one), 1);
              one.ticket.leave(step[2] as boolean);
            }
          }
          for (const one of inside) {
            expect(one.waits && isFirst(one)).toBe(false);
            expect(one.vain).toBeLessThanOrEqual(1);
            expect(line.before(one.keys, one.ticket) === undefined).toBe(isFirst(one));
          }
        }
      }),
    );
  });
});
