/** Work of a client, counted: `settle` resolves when none is under way, and none is about to be. */
export function countWork() {
  let underWay = 0;
  return {
    async count<T>(work: Promise<T>): Promise<T> {
      underWay++;
      try {
        return await work;
      } finally {
        underWay--;
      }
    },
    async settle(): Promise<void> {
      do await new Promise((resolve) => setImmediate(resolve));
      while (underWay > 0);
    },
  };
}
