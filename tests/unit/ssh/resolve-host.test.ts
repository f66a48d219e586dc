import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { hostNameText } from "../../../lib/ssh/host-name.ts";
import { type ResolvedHost, resolveHost } from "../../../lib/ssh/resolve-host.ts";
import { SshError } from "../../../lib/ssh/ssh-error.ts";
import { removeTree } from "../../support/remove-tree.ts";
import { randomConfig } from "../../support/random-ssh-config.ts";

const withoutSsh = existsSync("/usr/bin/ssh") ? false : "there is no ssh here";
const me = userInfo().username;

/** A folder with files, of which `config` is the user's. */
function folderOf(files: Record<string, string>): { folder: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), "herd-ssh-config-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text.replaceAll("@DIR@", folder), { mode: 0o600 });
  }
  return { folder, [Symbol.dispose]: () => removeTree(folder) };
}

function resolveIn(folder: string, name: string): ResolvedHost {
  return resolveHost(name, {
    env: {},
    home: homedir(),
    user: me,
    configFiles: [join(folder, "config")],
  });
}

/** What herd and ssh can both say of a host, in ssh's words. */
function ours(host: ResolvedHost): Record<string, string> {
  return {
    hostname: host.hostName,
    user: host.user,
    port: `${host.port}`,
    identityfile: host.identitiesNamed ? host.identityFiles.join(" ") : "",
    identitiesonly: host.identitiesOnly ? "yes" : "no",
    proxyjump: host.jumps.map(hostNameText).join(","),
    userknownhostsfile: host.userKnownHosts.join(" "),
    stricthostkeychecking: host.strictHostKeys,
    // Debian's ssh looks every 5 minutes where nobody can be asked.
    serveraliveinterval: `${host.aliveIntervalMs / 1000 || (host.batchMode ? 300 : 0)}`,
    serveralivecountmax: `${host.aliveCountMax}`,
    connecttimeout: host.connectTimeoutMs === undefined
      ? "none"
      : `${host.connectTimeoutMs / 1000}`,
    hostkeyalias: host.hostKeyAlias ?? "",
    hashknownhosts: host.hashKnownHosts ? "yes" : "no",
    batchmode: host.batchMode ? "yes" : "no",
    numberofpasswordprompts: `${host.passwordPrompts}`,
  };
}

const STRICT: Record<string, string> = { true: "yes", false: "no" };

function theirs(folder: string, name: string, ourHost: ResolvedHost): Record<string, string> {
  const text = execFileSync("ssh", ["-G", "-F", join(folder, "config"), name], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [key = "", ...rest] = line.split(" ");
    said.set(key, [...(said.get(key) ?? []), rest.join(" ")]);
  }
  const one = (key: string) => said.get(key)?.[0] ?? "";
  const tokens: Record<string, string> = {
    "%": "%",
    d: homedir(),
    h: ourHost.hostName,
    r: ourHost.user,
    u: me,
    p: one("port"),
    n: ourHost.alias,
  };
  const expanded = (path: string) =>
    path.replace(/^~(?=\/)/, homedir()).replace(/%([%dhrupn])/g, (_, token) => tokens[token]!);
  return {
    hostname: one("hostname"),
    user: one("user"),
    port: one("port"),
    identityfile: ourHost.identitiesNamed
      ? (said.get("identityfile") ?? []).map(expanded).join(" ")
      : "",
    identitiesonly: one("identitiesonly"),
    proxyjump: one("proxyjump"),
    userknownhostsfile: one("userknownhostsfile").split(" ").map(expanded).join(" "),
    stricthostkeychecking: STRICT[one("stricthostkeychecking")] ?? one("stricthostkeychecking"),
    serveraliveinterval: one("serveraliveinterval"),
    serveralivecountmax: one("serveralivecountmax"),
    connecttimeout: one("connecttimeout"),
    hostkeyalias: one("hostkeyalias"),
    hashknownhosts: one("hashknownhosts"),
    batchmode: one("batchmode"),
    numberofpasswordprompts: one("numberofpasswordprompts"),
  };
}

function sameAsSsh(folder: string, name: string): void {
  const host = resolveIn(folder, name);
  assert.deepEqual(ours(host), theirs(folder, name, host), `for ${name}`);
}

const WRITTEN: readonly { says: string; files: Record<string, string>; names: string[] }[] = [
  {
    says: "the first value wins, whatever comes later",
    files: { config: "Host a\n Port 1\n User x\nHost *\n Port 2\n User y\n" },
    names: ["a", "b", "z@a"],
  },
  {
    says: "patterns, several on a line, with negation",
    files: { config: "Host *.org !bad.org c?\n Port 7\nHost !x\n Port 8\nHost * !d\n User q\n" },
    names: ["a.org", "bad.org", "c1", "c12", "x", "d"],
  },
  {
    says: "key=value, tabs, quotes, comments, capitals",
    files: {
      config: 'HOST "a" \'b\' # no comment of a word\n\tPort=22022\n  USER = "z"   # yes\n' +
        'IdentityFile "~/with space/id"\nidentityfile=~/.ssh/%h-%r-%u-%p-%n-%%\n',
    },
    names: ["a", "b", "c"],
  },
  {
    says: "HostName with %h and %%, in small letters",
    files: { config: "Host A.x\n HostName %h.Example.ORG\nHost b\n HostName 127.0.0.1\n" },
    names: ["A.x", "b"],
  },
  {
    says: "Match on host, originalhost, user and all, with negation and lists",
    files: {
      config: "Host a\n HostName real.org\nMatch host real.org\n Port 5\n" +
        "Match originalhost a,b user nobody\n Port 6\nMatch !host *.org,x\n User w\n" +
        "Match host=c user=*\n ConnectTimeout 1m30s\nMatch all\n ServerAliveInterval 9\n",
    },
    names: ["a", "b", "c", "nobody@b", "x"],
  },
  {
    says: "Match final is read in a second pass",
    files: {
      config: "Match final host *.org\n Port 99\nHost a\n HostName a.org\nHost a.org\n User two\n",
    },
    names: ["a", "b"],
  },
  {
    says: "Include with patterns, inside a block, nested, and absent",
    files: {
      config: "Include @DIR@/d/*.conf @DIR@/absent\nHost b\n Include @DIR@/in\nHost *\n Port 3\n",
      "d/1.conf": "Host a\n Port 11\n",
      "d/2.conf": "Host a c\n Port 12\n User from2\n",
      "d/.hidden.conf": "Port 13\n",
      in: "User inb\nHost c\n User never\nHost b\n Port 14\n Include @DIR@/deep\n",
      deep: "HashKnownHosts yes\n",
    },
    names: ["a", "b", "c", "d"],
  },
  {
    says: "ProxyJump, several, none, and before ProxyCommand",
    files: {
      config: "Host a\n ProxyJump j1,me@j2:2222\n ProxyCommand x\nHost b\n ProxyJump none\n" +
        "Host c\n ProxyCommand none\nHost *\n ProxyJump j9\n",
    },
    names: ["a", "b", "d"],
  },
  {
    says: "everything else that is read",
    files: {
      config: "IdentitiesOnly yes\nStrictHostKeyChecking accept-new\nUserKnownHostsFile ~/a ~/b\n" +
        "HostKeyAlias k\nBatchMode yes\nServerAliveCountMax 7\nNumberOfPasswordPrompts 1\n" +
        "ConnectTimeout 2h\nIdentityFile ~/one\nHost x\nIdentityFile ~/two\nIdentityFile ~/one\n",
    },
    names: ["x", "y"],
  },
];

for (const { says, files, names } of WRITTEN) {
  test(`as ssh -G has it: ${says}`, { skip: withoutSsh }, () => {
    using place = folderOf(files);
    for (const name of names) sameAsSsh(place.folder, name);
  });
}

test("as ssh -G has it: 150 random configs", { skip: withoutSsh }, () => {
  for (let seed = 1; seed <= Number(process.env["SEEDS"] ?? 150); seed++) {
    const { files, names } = randomConfig(seed);
    using place = folderOf(files);
    try {
      for (const name of names) sameAsSsh(place.folder, name);
    } catch (error) {
      throw new Error(`seed ${seed}\n${files.config}\n${files.more}`, { cause: error });
    }
  }
});

test("a broken line is named with its file and number, as an SshError of the config", () => {
  for (
    const [text, wanted] of [
      ["Host a\n Port", /line 2: no argument after "port"/],
      ['Host "a', /line 1: a quote is not closed/],
      ["Port x", /config:1: "port" is "x"/],
      ["Port 70000", /from 1 to 65535/],
      ["Match host", /"Match host" has no value/],
      ["Include @DIR@/config", /includes inside each other/],
    ] as const
  ) {
    using place = folderOf({ config: text });
    assert.throws(
      () => resolveIn(place.folder, "a"),
      (error) => error instanceof SshError && error.step === "config" && wanted.test(error.message),
      text,
    );
  }
});

test("a config that others may write is refused, as ssh does", () => {
  using place = folderOf({ config: "Port 3\n" });
  chmodSync(join(place.folder, "config"), 0o666);
  assert.throws(() => resolveIn(place.folder, "a"), /others may write it/);
});

test("Match exec is never run: its block is left out, and that is said", () => {
  using place = folderOf({
    config: 'Match exec "touch @DIR@/was-run"\n Port 3\nHost *\n ControlPath ~/c\n',
  });
  const host = resolveIn(place.folder, "a");
  assert.equal(host.port, 22);
  assert.match(host.notices.join("\n"), /"Match exec" at .*config:1 is not supported/);
  assert.match(host.notices.join("\n"), /ControlPath is not used/);
  assert.equal(existsSync(join(place.folder, "was-run")), false);
});

test("a ProxyCommand is refused plainly, as it would have to be run", () => {
  using place = folderOf({ config: "ProxyCommand nc %h %p\n" });
  assert.throws(() => resolveIn(place.folder, "a"), /ProxyCommand .* is not supported/);
});

test("the agent's socket comes from IdentityAgent, a variable or the environment", () => {
  const agent = (config: string, env: Record<string, string>) => {
    using place = folderOf({ config });
    return resolveHost("a", {
      env,
      home: "/h",
      user: me,
      configFiles: [join(place.folder, "config")],
    }).agentSocket;
  };
  assert.equal(agent("", { SSH_AUTH_SOCK: "/s" }), "/s");
  assert.equal(agent("", {}), undefined);
  assert.equal(agent("IdentityAgent none\n", { SSH_AUTH_SOCK: "/s" }), undefined);
  assert.equal(agent("IdentityAgent $OTHER\n", { OTHER: "/o" }), "/o");
  assert.equal(agent("IdentityAgent ~/.a/${X}\n", { X: "y" }), "/h/.a/y");
});

test("a name that is none of a host is refused, however it is written", () => {
  for (const name of ["", "-oProxyCommand=x", "a b", "a;b", "$(x)", "a\nb", "x@-y", "a:0", "`x`"]) {
    assert.throws(
      () => resolveHost(name, { env: {}, home: "/h", user: me, configFiles: [] }),
      name,
    );
  }
  for (
    const [name, host, port] of [
      ["::1", "::1", 22],
      ["[::1]:2222", "::1", 2222],
      ["ana@a.org:23", "a.org", 23],
      ["ssh://ana@a.org:23", "a.org", 23],
    ] as const
  ) {
    const found = resolveHost(name, { env: {}, home: "/h", user: me, configFiles: [] });
    assert.deepEqual([found.hostName, found.port], [host, port]);
  }
});
