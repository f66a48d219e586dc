import { EXIT } from "../lib/base/exit-codes.ts";
import { UserError } from "../lib/base/errors.ts";
import { visible } from "../lib/base/width.ts";
import { defineCommand } from "./command.ts";
import { curlLine } from "./curl-line.ts";
import { say } from "./open.ts";
import { terminalAsker } from "./terminal-asker.ts";

export const command = defineCommand({
  name: "tunnel",
  summary: "Reach the HTTP API of a daemon behind ssh from this machine",
  details:
    "Finds your daemon there, listens on 127.0.0.1 here, and passes what comes on to the daemon's\n" +
    "socket. The token is in a file of yours alone that goes when the tunnel ends. A connection\n" +
    "that is cut is made again; Ctrl-C ends it.",
  arguments: [{ name: "HOST", description: "As for ssh: an alias, a name, user@name:port" }],
  options: [{
    name: "port",
    short: "p",
    value: "N",
    number: "whole",
    least: 1,
    description: "Listen here; default the daemon's own number, or a free one",
  }],
  examples: [
    { line: "herd tunnel login", meaning: "print the address and a line for curl" },
    { line: "herd tunnel login --port 8000", meaning: "on a port of your choice" },
  ],
  async run({ positionals, values, out, json, env, clock, log, signal }) {
    if (values.port !== undefined && values.port > 65_535) {
      throw new UserError(`Cannot listen on port ${values.port}: the highest is 65535`);
    }
    const { createHosts } = await import("../lib/daemon/hosts.ts");
    const { createTokenFile } = await import("../lib/daemon/token-file.ts");
    const { openTunnel } = await import("../lib/daemon/tunnel.ts");
    await using hosts = createHosts({ env, clock, log, asker: terminalAsker() });
    const host = await hosts.enter(positionals[0]!, signal);
    using file = createTokenFile(env);
    await using tunnel = await openTunnel({
      ...{ host, clock, signal, port: values.port },
      onDaemon: ({ token }) => file.write(token),
      onNews: (text) => say(out, visible(text)),
    });
    const { port, daemon } = tunnel;
    const address = `http://127.0.0.1:${port}`;
    const curl = curlLine({ address: { port }, tokenPath: file.path }, {
      ...{ method: "GET", path: "/v1/sweeps", body: undefined },
    });
    if (json) {
      out.json({
        ...{ address, port, token_file: file.path, curl },
        daemon: { host: daemon.host, pid: daemon.pid, version: daemon.version },
      });
    } else {
      out.print(
        `The daemon on ${visible(daemon.host)} (${visible(daemon.version)}) is at ${address}`,
      );
      out.print(`Its token is in ${file.path}`);
      out.print(curl);
      say(out, "Ctrl-C ends the tunnel");
    }
    await tunnel.ended;
    return EXIT.done;
  },
});
