/** Whether each effect of a ledger is another one of an action that had had its own before. */
export function markRepeats(effects: readonly { readonly actionId: string }[]): boolean[] {
  const seen = new Set<string>();
  return effects.map(({ actionId }) => {
    const isAgain = seen.has(actionId);
    seen.add(actionId);
    return isAgain;
  });
}
