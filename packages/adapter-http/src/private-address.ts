// What IANA's special-purpose registries do not call globally reachable, and multicast: [network, prefix length].
const V4_NETWORKS: readonly (readonly [network: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];
const V4_PRIVATE = /* @__PURE__ */ V4_NETWORKS.map(
  ([network, bits]) => [numberOf(network.split(".")) >>> (32 - bits), bits] as const,
);

// Names that no public name server answers: RFC 6761, RFC 6762 appendix G, RFC 8375, and what clouds and clusters use.
const PRIVATE_SUFFIXES = new Set(
  "localhost local localdomain internal intranet private corp home lan home.arpa svc".split(" "),
);

/**
 * Whether a URL's host is, by its own spelling, not on the public internet: a private, loopback, link-local or reserved
 * address of either family, `localhost`, a name under `.local`, `.internal` and the like, or a name without a dot. `hostname` is as
 * the `URL` class gives it, which has undone every other spelling (octal, hexadecimal, decimal, percent-encoded, full-width).
 */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.+$/, "");
  if (host.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(host)) return isPrivateAddress(host.replace(/^\[|\]$/g, ""));
  const labels = host.split(".");
  return labels.length < 2 || PRIVATE_SUFFIXES.has(labels.at(-1)!) || PRIVATE_SUFFIXES.has(labels.slice(-2).join("."));
}

/** The same of an address as name servers give it; anything that is no address counts as private. */
export function isPrivateAddress(address: string): boolean {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(address)) return isPrivateV4(numberOf(address.split(".")));
  const groups = v6Groups(address);
  return groups === undefined || isPrivateV6(groups);
}

function isPrivateV4(address: number): boolean {
  return V4_PRIVATE.some(([network, bits]) => address >>> (32 - bits) === network);
}

function isPrivateV6([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0]: readonly number[]): boolean {
  // An IPv4 address in other clothes reaches what that address reaches: mapped, NAT64 (RFC 6052), 6to4 (RFC 3056).
  const last = ((g << 16) | h) >>> 0;
  if ((a | b | c | d | e) === 0 && f === 0xffff) return isPrivateV4(last);
  if (a === 0x64 && b === 0xff9b && (c | d | e | f) === 0) return isPrivateV4(last);
  if (a === 0x2002) return isPrivateV4(((b << 16) | c) >>> 0);
  // Nothing outside of 2000::/3 is global unicast.
  if (a >>> 13 !== 1) return true;
  const protocolAssignments = a === 0x2001 && b < 0x200;
  const documentation = (a === 0x2001 && b === 0xdb8) || (a === 0x3fff && b < 0x1000);
  return protocolAssignments || documentation;
}

/** The eight groups of an IPv6 address; undefined when it is none. A zone (`%eth0`) is left out. */
function v6Groups(text: string): readonly number[] | undefined {
  const url = `http://[${text.split("%")[0]}]`;
  if (!URL.canParse(url)) return undefined;
  // In the `URL` class's own spelling, which has at most one `::` and no dotted part.
  const [head = "", tail] = new URL(url).hostname.slice(1, -1).split("::");
  const read = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  if (tail === undefined) return read(head);
  const [before, after] = [read(head), read(tail)];
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function numberOf(bytes: readonly string[]): number {
  return bytes.reduce((number, byte) => (number << 8) | Number(byte), 0) >>> 0;
}
