/** `EOC_DEEP=1` asks for the runs that take minutes: larger plans, more schedules, 100,000 random executions. */
export const DEEP = process.env["EOC_DEEP"] === "1";

/** How long a test of the deep runs may take. */
export const PATIENCE_MS = DEEP ? 4 * 3_600_000 : 120_000;
