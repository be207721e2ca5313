import { sha256Hex } from "@eoc/decision-schema";

/** Milliseconds from a request to its answer, where nothing makes it slower. */
const LATENCY_MS = { min: 25, max: 120 };

/** A number in [0, 1) that depends on nothing but its key. */
export function draw(key: string): number {
  return Number.parseInt(sha256Hex(key).slice(0, 8), 16) / 2 ** 32;
}

/** A whole number from `min` to `max` that depends on nothing but its key. */
export function drawBetween(key: string, min: number, max: number): number {
  return min + Math.floor(draw(key) * (max - min + 1));
}

/** How long the network takes with request `number` (from 0) of an action: the same for the same seed, whoever sends it. */
export function latencyMs(seed: string, actionId: string, number: number): number {
  return drawBetween(`latency\n${seed}\n${actionId}\n${number}`, LATENCY_MS.min, LATENCY_MS.max);
}
