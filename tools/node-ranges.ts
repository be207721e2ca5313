import { satisfies, subset } from "semver";

/** What npm's `node_modules/.package-lock.json` says of one installed package. */
export interface Installed {
  readonly version?: string;
  readonly engines?: { readonly node?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/**
 * Where a package of `@eoc` takes a Node that something that it needs at run time refuses: installing it there fails
 * with `engine-strict`, and with yarn. `installed` is by path, such as `node_modules/zod`.
 */
export function tooWide(installed: Readonly<Record<string, Installed>>): string[] {
  const find = (name: string, range: string): [path: string, installed: Installed] | undefined =>
    Object.entries(installed).find(
      ([path, { version = "" }]) => path.endsWith(`node_modules/${name}`) && satisfies(version, range),
    );
  const needsOf = ({ dependencies, peerDependencies, peerDependenciesMeta }: Installed) => [
    ...Object.entries(dependencies ?? {}),
    ...Object.entries(peerDependencies ?? {}).filter(([name]) => !peerDependenciesMeta?.[name]?.optional),
  ];
  return Object.entries(installed)
    .filter(([path]) => path.startsWith("node_modules/@eoc/"))
    .flatMap(([path, own]) => {
      const seen = new Map<string, Installed>();
      const visit = (each: Installed) => {
        for (const [name, range] of needsOf(each)) {
          const found = find(name, range);
          if (found === undefined || seen.has(found[0])) continue;
          seen.set(...found);
          visit(found[1]);
        }
      };
      visit(own);
      const range = own.engines?.node ?? "*";
      return [...seen]
        .filter(([, { engines }]) => engines?.node !== undefined && !subset(range, engines.node))
        .map(([needed, { engines }]) => `${path} takes Node ${range}, and ${needed} takes ${engines?.node} only`);
    });
}
