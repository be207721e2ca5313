/** Gives an object the private fields of a subclass: only that class sees them, in a third of the time of a symbol's. */
export class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the subclass puts its fields on the object that is returned.
    return object;
  }
}
