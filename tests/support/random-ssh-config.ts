import { seeded } from "./random-text.ts";

/** A config of blocks, includes and settings in an order that nobody would write, from a seed. */
export function randomConfig(seed: number): {
  files: { config: string; more: string };
  names: string[];
} {
  const random = seeded(seed);
  const below = (most: number) => Math.floor(random() * most);
  const pick = <T>(list: readonly T[]) => list[below(list.length)]!;

  const setting = () => {
    const gap = pick([" ", "=", " = ", "\t"]);
    const [name, value] = pick<[string, string]>([
      ["Port", `${1 + below(9999)}`],
      ["User", pick(["ana", "bo", '"ci"'])],
      ["HostName", pick(["%h.example.org", "real.org", "10.0.0.1", "Big.ORG", "x-%h"])],
      ["IdentityFile", pick(["~/.ssh/k1", '"~/k 2"', "~/%r@%h", "/abs/k"])],
      ["IdentitiesOnly", pick(["yes", "no"])],
      ["ProxyJump", pick(["j1", "me@j1:22,j2", "none"])],
      ["StrictHostKeyChecking", pick(["yes", "no", "ask", "accept-new"])],
      ["ServerAliveInterval", pick(["5", "1m"])],
      ["ServerAliveCountMax", `${below(9)}`],
      ["ConnectTimeout", pick(["3", "2m", "none"])],
      ["HostKeyAlias", pick(["k", "K2"])],
      ["UserKnownHostsFile", pick(["~/kh", "~/kh1 ~/kh2"])],
      ["HashKnownHosts", pick(["yes", "no"])],
      ["BatchMode", pick(["yes", "no"])],
    ]);
    return `${pick(["", " ", "\t"])}${pick([name, name.toLowerCase()])}${gap}${value}`;
  };
  const pattern = () => pick(["a", "b", "c.org", "*.org", "*", "?", "!a", "!*.org", "real.org"]);
  const block = () =>
    pick([
      () => `Host ${pattern()} ${pattern()}`,
      () => `Host ${pattern()}`,
      () => `Match ${pick(["", "!"])}host ${pattern()}`,
      () =>
        `Match originalhost ${pattern()},${pattern()} ${pick(["", "!"])}user ${pick(["ana", "*"])}`,
      () => "Match all",
      () => `Match final host ${pattern()}`,
    ])();
  const lines = (count: number, more: () => string) =>
    Array.from({ length: count }, () => pick([setting, setting, setting, block, more])()).join(
      "\n",
    ) +
    "\n";
  const comment = () => pick(["# nothing", "", "  "]);
  return {
    files: {
      config: lines(3 + below(14), () => pick([comment(), "Include @DIR@/more"])),
      more: lines(1 + below(6), comment),
    },
    names: ["a", "b", "c.org", "ana@a"],
  };
}
