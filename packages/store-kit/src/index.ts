export { checkDuration, checkOutcome, refuseOption } from "./check-option.js";
export { InTime, type InTimeOptions } from "./in-time.js";
export { decodeKey, encodeKey } from "./key-text.js";
export {
  type ListenHooks,
  type Listening,
  SwitchWatch,
  type VersionedState,
  type WatchOptions,
} from "./switch-watch.js";
