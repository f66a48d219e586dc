import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
// @ts-types="../../lib/ssh/ssh2.d.ts"
import ssh2 from "ssh2";
import type { Connection, ParsedKey } from "../../lib/ssh/ssh2.d.ts";
import { generateKey, type Sshd } from "./sshd.ts";

export interface CodeServerOptions {
  folder: string;
  /** The code that is right for the n-th login, from 1. */
  code(login: number): string;
  /** A public key that must convince first. */
  keyFirst?: string;
  password?: string;
}

/** An ssh server that asks for a code that changes (OpenSSH needs PAM for that), and runs `echo`. */
export interface CodeServer extends AsyncDisposable, Pick<Sshd, "port" | "hostKey"> {
  logins: number;
  /** How many it was asked to start. */
  programs: number;
  cut(): void;
}

export async function startCodeServer(options: CodeServerOptions): Promise<CodeServer> {
  const file = `${options.folder}/code_host_key`;
  generateKey(file);
  const clients = new Set<Connection>();
  const first = options.keyFirst === undefined
    ? undefined
    : ssh2.utils.parseKey(readFileSync(options.keyFirst, "utf8")) as ParsedKey;
  const server = new ssh2.Server({ hostKeys: [readFileSync(file)] }, (client) => {
    clients.add(client);
    let keyed = first === undefined;
    client.on("error", () => {});
    client.on("close", () => clients.delete(client));
    client.on("authentication", (context) => {
      if (context.method === "publickey" && !keyed) {
        const same = context.key.data.equals(first!.getPublicSSH());
        if (!same) return context.reject(["publickey"]);
        if (context.signature === undefined) return context.accept();
        keyed = true;
        return context.reject(["keyboard-interactive"], true);
      }
      if (context.method === "password" && options.password !== undefined) {
        return context.password === options.password
          ? context.accept()
          : context.reject(["password"]);
      }
      if (context.method !== "keyboard-interactive" || !keyed) {
        const left = options.password === undefined ? "keyboard-interactive" : "password";
        return context.reject([keyed ? left : "publickey"]);
      }
      context.prompt([{ prompt: "Verification code: ", echo: false }], (answers) => {
        if (answers[0] !== options.code(it.logins + 1)) {
          return context.reject(["keyboard-interactive"]);
        }
        it.logins++;
        context.accept();
      });
    });
    client.on("session", (accept) => {
      const session = accept();
      session.on("exec", (acceptExec, _reject, { command }) => {
        const stream = acceptExec();
        it.programs++;
        const mark = /\[(herd-[0-9a-f]+) /.exec(command)?.[1];
        stream.stderr.write(`[${mark}]`);
        stream.write(`[${mark} 1]ran`);
        stream.exit(0);
        stream.end();
      });
    });
  });
  const it: CodeServer = {
    port: 0,
    logins: 0,
    programs: 0,
    hostKey: readFileSync(`${file}.pub`, "utf8").trim(),
    cut: () => clients.forEach((client) => client.end()),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  it.port = (server.address() as AddressInfo).port;
  return it;
}
