interface Node<T> {
  item: T;
  previous: Node<T> | undefined;
  next: Node<T> | undefined;
  queued: boolean;
}

/** A queue whose members may leave it from anywhere, all in constant time. */
export interface Fifo<T> {
  size(): number;
  /** Returns how to leave; leaving twice, or after having been taken, does nothing. */
  add(item: T): () => void;
  take(): T | undefined;
  first(): T | undefined;
}

export function createFifo<T>(): Fifo<T> {
  let first: Node<T> | undefined;
  let last: Node<T> | undefined;
  let size = 0;
  const remove = (node: Node<T>) => {
    if (!node.queued) return;
    node.queued = false;
    size--;
    if (node.previous === undefined) first = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) last = node.previous;
    else node.next.previous = node.previous;
  };
  return {
    size: () => size,
    first: () => first?.item,
    add(item) {
      const node: Node<T> = { item, previous: last, next: undefined, queued: true };
      if (last === undefined) first = node;
      else last.next = node;
      last = node;
      size++;
      return () => remove(node);
    },
    take() {
      const node = first;
      if (node === undefined) return undefined;
      remove(node);
      return node.item;
    },
  };
}
