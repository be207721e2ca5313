/** What the bench asks of the process of one contestant. */
export type Order =
  | { readonly order: "warm"; readonly warmMs: number; readonly sliceMs: number; readonly count?: number }
  | { readonly order: "slice" }
  | { readonly order: "bytes"; readonly warmMs: number }
  | { readonly order: "gauges" };

/** What it answers. */
export type Answer =
  | { readonly answer: "warm"; readonly count: number }
  | { readonly answer: "slice"; readonly cpuNs: number }
  | { readonly answer: "bytes"; readonly bytes: number }
  | { readonly answer: "gauges"; readonly gauges: Record<string, number> }
  | { readonly answer: "failed"; readonly message: string };
