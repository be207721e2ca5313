import { isPrivateAddress } from "./private-address.js";

/** An address as Node's `dns.lookup` gives it when asked for all. */
export interface LookupAddress {
  address: string;
  family: number;
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/** Node's `dns.lookup`, as `net.connect` and undici's `connect` options call it. */
export type LookupFn = (
  hostname: string,
  options: { all?: boolean | undefined; family?: number | "IPv4" | "IPv6" | undefined },
  callback: LookupCallback,
) => void;

/**
 * Wraps Node's `dns.lookup` so that a name which leads to any private address is not connected to: the request ends
 * `address_refused`, not applied. Hand it to undici: `new Agent({ connect: { lookup: guardLookup(lookup) } })`. The connection
 * goes to the very addresses that were checked, so a name that changes its mind (DNS rebinding) gains nothing.
 */
export function guardLookup(lookup: LookupFn): LookupFn {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found, family) => {
      if (error) return callback(error, "");
      // Some lookups answer with one address, whatever they are asked for.
      const addresses = typeof found === "string" ? [{ address: found, family: family ?? 4 }] : found;
      // One private address among public ones is how a name passes a check and connects elsewhere.
      if (addresses.some(({ address }) => isPrivateAddress(address))) return callback(refusal(), "");
      const [first] = addresses;
      if (options.all || first === undefined) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}

/** Says no name and no address (S9.1). */
function refusal(): Error {
  return Object.assign(new Error("the name leads to a private address"), { code: "EOC_ADDRESS_REFUSED" });
}
