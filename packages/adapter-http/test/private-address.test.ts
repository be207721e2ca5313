import { describe, expect, it } from "vitest";
import { isPrivateAddress, isPrivateHost } from "../src/private-address.js";

describe("a private address", () => {
  // First and last address of each network, and their public neighbours.
  const networks: [name: string, inside: string[], outside: string[]][] = [
    ["0.0.0.0/8", ["0.0.0.0", "0.255.255.255"], ["1.0.0.0"]],
    ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]],
    ["100.64.0.0/10", ["100.64.0.0", "100.127.255.255"], ["100.63.255.255", "100.128.0.0"]],
    ["127.0.0.0/8", ["127.0.0.0", "127.255.255.255"], ["126.255.255.255", "128.0.0.0"]],
    ["169.254.0.0/16", ["169.254.0.0", "169.254.255.255"], ["169.253.255.255", "169.255.0.0"]],
    ["172.16.0.0/12", ["172.16.0.0", "172.31.255.255"], ["172.15.255.255", "172.32.0.0"]],
    ["192.0.0.0/24", ["192.0.0.0", "192.0.0.255"], ["191.255.255.255", "192.0.1.0"]],
    ["192.0.2.0/24", ["192.0.2.0", "192.0.2.255"], ["192.0.1.255", "192.0.3.0"]],
    ["192.88.99.0/24", ["192.88.99.0", "192.88.99.255"], ["192.88.98.255", "192.88.100.0"]],
    ["192.168.0.0/16", ["192.168.0.0", "192.168.255.255"], ["192.167.255.255", "192.169.0.0"]],
    ["198.18.0.0/15", ["198.18.0.0", "198.19.255.255"], ["198.17.255.255", "198.20.0.0"]],
    ["198.51.100.0/24", ["198.51.100.0", "198.51.100.255"], ["198.51.99.255", "198.51.101.0"]],
    ["203.0.113.0/24", ["203.0.113.0", "203.0.113.255"], ["203.0.112.255", "203.0.114.0"]],
    ["224.0.0.0/3", ["224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255"], ["223.255.255.255"]],
    ["outside of 2000::/3", ["::", "::1", "1fff:ffff::", "4000::", "fc00::", "fe80::1", "ff02::1"], ["2000::1"]],
    ["2001::/23", ["2001::", "2001:1ff:ffff:ffff::"], ["2001:200::"]],
    ["2001:db8::/32", ["2001:db8::", "2001:db8:ffff::"], ["2001:db7:ffff::", "2001:db9::"]],
    ["3fff::/20", ["3fff::", "3fff:fff:ffff::"], ["3fff:1000::", "3ffe::"]],
    ["::ffff:0:0/96, by the address inside", ["::ffff:10.0.0.1", "::ffff:7f00:1"], ["::ffff:8.8.8.8"]],
    ["64:ff9b::/96, by the address inside", ["64:ff9b::10.0.0.1", "64:ff9b::1:808:808"], ["64:ff9b::808:808"]],
    ["2002::/16, by the address inside", ["2002:a00:1::", "2002:7f00:1::"], ["2002:808:808::"]],
  ];
  for (const [name, inside, outside] of networks) {
    it(`is one in ${name}, and not its neighbours`, () => {
      expect(inside.filter((address) => !isPrivateAddress(address))).toEqual([]);
      expect(outside.filter((address) => isPrivateAddress(address))).toEqual([]);
    });
  }

  it("is also whatever is no address", () => {
    expect(["", "localhost", "1.2.3", "1.2.3.4.5", "::g", "[::1]"].map(isPrivateAddress)).not.toContain(false);
  });

  it("may carry a zone", () => {
    expect([isPrivateAddress("fe80::1%eth0"), isPrivateAddress("2606:4700::1%1")]).toEqual([true, false]);
  });
});

describe("a private host", () => {
  it("is an address as a URL spells it", () => {
    expect(["127.0.0.1", "[::1]", "[::ffff:a00:1]", "8.8.8.8", "[2606:4700::1]"].map(isPrivateHost)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it("is a name that only a private network knows, in any case and with trailing dots", () => {
    const names = ["localhost", "a.LOCALHOST.", "x.local", "x.y.internal..", "x.home.arpa", "intranet", "a.svc", ""];
    expect(names.filter((name) => !isPrivateHost(name))).toEqual([]);
  });

  it("is no public name that only looks like one", () => {
    const names = [
      "local.example.com",
      "localhost.example.com",
      "example.arpa",
      "home.example",
      "notlocal.com",
      "xn--a.de",
    ];
    expect(names.filter(isPrivateHost)).toEqual([]);
  });
});
