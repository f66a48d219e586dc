import { resolve } from "node:path";
import { UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { exitCodeOf, explain } from "../lib/base/explain.ts";
import { shellQuote } from "../lib/base/text.ts";
import { visible } from "../lib/base/width.ts";
import type { DeployedTo } from "../lib/daemon/deploy-to.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { ownCommandLine, say } from "./open.ts";
import { terminalAsker } from "./terminal-asker.ts";

const OPTIONS = [
  { name: "rollback", description: "Go back to the version before; once more goes forward again" },
  { name: "dry-run", short: "n", description: "Say what would be done; change nothing" },
  { name: "no-restart", description: "Leave the daemon there as it is" },
  {
    name: "binary",
    value: "FILE",
    description: "The executable to take; default this one, or the right one beside it",
  },
] as const;

type DeployContext = Context<typeof OPTIONS>;

export const command = defineCommand({
  name: "deploy",
  summary: "Put herd on another computer, or a new version of it",
  details:
    "Finds out what the host is, takes the executable that runs there, uploads it (going on\n" +
    "where an upload was cut), verifies it, proves that it starts, and switches; the version\n" +
    "before stays beside it. A daemon that runs there restarts on the new version and loses\n" +
    "nothing. What is there already is not sent again. PATH is ~/.local/bin/herd by default.",
  arguments: [{ name: "HOST[:PATH]", repeatable: true, description: "As for scp, or several" }],
  options: OPTIONS,
  examples: [
    { line: "herd deploy login", meaning: "to ~/.local/bin/herd of the host login" },
    { line: "herd deploy ana@login:2222:bin/herd other", meaning: "to two hosts" },
    { line: "herd deploy login --rollback", meaning: "the version before" },
  ],
  run: deployCommand,
});

async function deployCommand(context: DeployContext): Promise<number> {
  const { positionals, values, out, json } = context;
  if (values.rollback && values.binary !== undefined) {
    throw new UserError("Cannot tell what is wanted: --rollback and --binary", {
      hint: "Give one of them",
    });
  }
  const { readDestination } = await import("../lib/daemon/deploy-to.ts");
  // Mistakes are told before anything is sent anywhere.
  for (const one of positionals) readDestination(one);
  const documents: unknown[] = [];
  let worst: number = EXIT.done;
  for (const destination of positionals) {
    try {
      const deployed = await deployOne(context, destination);
      documents.push({ host: destination, ok: true, ...documentOf(deployed) });
      if (!json) show(context, destination, deployed);
      if (deployed.daemon?.state === "failed") worst ||= EXIT.negative;
    } catch (error) {
      if (positionals.length === 1 || context.signal.aborted) throw error;
      // The other hosts are not kept waiting for what is wrong with this one.
      documents.push({ host: destination, ok: false, ...explain(error, "json") as object });
      out.printError(`${out.errorPaint.red("Error:")} ${explain(error, "terminal")}`);
      worst ||= exitCodeOf(error);
    }
  }
  if (json) out.json({ hosts: documents });
  return worst;
}

async function deployOne(context: DeployContext, destination: string): Promise<DeployedTo> {
  const { values, env, clock, log, signal, cwd, out, json } = context;
  const { deployTo, megabytes } = await import("../lib/daemon/deploy-to.ts");
  let erase = () => {};
  let shownAt = -Infinity;
  try {
    return await deployTo({
      ...{ env, clock, log, signal, destination, asker: terminalAsker() },
      self: ownCommandLine(),
      wanted: values.binary === undefined ? undefined : resolve(cwd, values.binary),
      isRollback: values.rollback,
      isDryRun: values["dry-run"],
      restarts: !values["no-restart"],
      say(text) {
        erase();
        if (!json) out.print(`${out.paint.dim(`${destination}:`)} ${visible(text)}`);
      },
      onProgress(done, all) {
        const now = clock.now();
        if (now - shownAt < PROGRESS_MS && done < all) return;
        shownAt = now;
        erase();
        const share = all === 0 ? 100 : Math.floor(done / all * 100);
        erase = out.passing(`${destination}: ${share} % (${megabytes(done)} of ${megabytes(all)})`);
      },
    });
  } finally {
    erase();
  }
}

const PROGRESS_MS = 200;

function show({ out }: DeployContext, destination: string, deployed: DeployedTo): void {
  const { outcome, path, says = "herd", before, isFound, daemon, doctor, facts } = deployed;
  const was = before === undefined || before === says ? "" : `; before: ${before}`;
  const lines = {
    installed: `${path} is ${says}${was}`,
    same: `${path} is this version already: ${says}`,
    "rolled-back": `${path} is ${says} again${was}`,
    "would-install": `Would put ${deployed.target ?? "the executable"} at ${path}${was}`,
    "would-roll-back": `Would go back to ${says} at ${path}${was}`,
  };
  const { green, yellow, red, dim } = out.paint;
  out.print(`${green("✓")} ${dim(`${destination}:`)} ${visible(lines[outcome])}`);
  if (daemon !== undefined) {
    const what = {
      restarted: `${green("✓")} The daemon there (pid ${daemon.pid}) runs the new version`,
      left: `${yellow("!")} The daemon there (pid ${daemon.pid}) runs what it ran: ${daemon.why}`,
      failed: `${red("✗")} The daemon there (pid ${daemon.pid}) did not restart: ${daemon.why}`,
    };
    out.print(visible(what[daemon.state]));
  }
  if (!isFound && !outcome.startsWith("would")) {
    const folder = path.replace(/\/[^/]*$/, "");
    say(
      out,
      `${visible(folder)} is not in PATH there: add this to ~/.bashrc or ~/.profile\n` +
        `export PATH=${visible(shellQuote(folder))}:"$PATH"`,
    );
  }
  tellOthers(out, destination, facts);
  const marks: Readonly<Record<string, string>> = {
    good: green("✓"),
    doubt: yellow("!"),
    bad: red("✗"),
  };
  for (const { mark, message, mend } of doctor?.checks ?? []) {
    out.print(`  ${marks[mark] ?? " "} ${visible(message)}`);
    if (mend !== null) out.print(`      ${dim("→")} ${visible(mend)}`);
  }
}

/** Login nodes that share a home folder share the executable, and each may have its daemon. */
function tellOthers(
  out: Context["out"],
  destination: string,
  { daemons, name }: DeployedTo["facts"],
): void {
  const others = daemons.filter((one) => one !== name);
  if (others.length === 0) return;
  say(
    out,
    `Daemons may run on ${others.join(", ")} as well, which share ${destination}'s home ` +
      "folder: there, herd monitor --restart takes the new version",
  );
}

function documentOf({ facts, ...deployed }: DeployedTo): Record<string, unknown> {
  const { outcome, path, says, before, target, sha256, sent, isFound, daemon, doctor } = deployed;
  return {
    outcome,
    path,
    version: says ?? null,
    before: before ?? null,
    previous: facts.previous?.says ?? null,
    target: target ?? null,
    sha256: sha256 ?? null,
    sent_bytes: sent,
    in_path: isFound,
    system: facts.system,
    processor: facts.processor,
    libc: facts.libc === undefined ? null : `${facts.libc.kind} ${facts.libc.version ?? ""}`.trim(),
    free_bytes: facts.freeBytes ?? null,
    daemon: daemon === undefined ? null : { ...daemon, why: daemon.why ?? null },
    doctor: doctor ?? null,
  };
}
