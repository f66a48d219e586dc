import { UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { POOL_OPTIONS } from "./pool/options.ts";
import type { PoolContext } from "./pool/options.ts";
import { showPool } from "./pool/show-pool.ts";
import type { PoolDocument } from "./pool/show-pool.ts";
import { openPoolDoor } from "./pool-door.ts";
import type { PoolDoor } from "./pool-door.ts";

const ACTIONS = [
  "status",
  "start",
  "stop",
  "resume",
  "drain",
  "enrol",
  "remove",
  "scale",
  "models",
  "setup",
  "check",
  "import",
  "invite",
] as const;

export const command = defineCommand({
  name: "pool",
  summary: "The pool of agent workers: set up, start, look, stop",
  details:
    "setup writes the configuration, by questions at a terminal or by options; check looks whether\n" +
    "it works, Discord included; invite prints the link that adds the bot to a server, or workers'\n" +
    "own bots; import prints OpenClaw's or discord-orchestration's settings as herd's. start runs\n" +
    "the pool in the daemon; enrol gives a one-time code for `herd worker`. drain lets a worker finish\n" +
    "and gives it nothing new, resume undoes that, or a stop. stop holds all new work back; stop --now\n" +
    "ends every agent on every worker. scale runs workers as SLURM jobs: --slurm N keeps N, --min and\n" +
    "--max follow what waits.",
  arguments: [
    { name: "ACTION", optional: true, description: `${ACTIONS.join(", ")}; default status` },
    { name: "WHAT", optional: true, repeatable: true, description: "Workers' names, or a file" },
  ],
  options: POOL_OPTIONS,
  examples: [
    { line: "herd pool setup", meaning: "once, by questions: channels, models, prices" },
    {
      line: "herd pool setup --guild 123 --backend openrouter --budget 5",
      meaning: "the same without questions",
    },
    { line: "herd pool check", meaning: "is it good, does Discord take it" },
    { line: "herd pool start --detach", meaning: "run it in the background" },
    { line: "herd pool enrol worker-1 --label gpu", meaning: "a code for `herd worker --code …`" },
    { line: "herd pool", meaning: "queue, workers, money" },
    { line: "herd pool scale --slurm 4 --partition cpu", meaning: "four workers in SLURM" },
    { line: "herd pool drain worker-1", meaning: "let it finish and rest" },
    { line: "herd pool stop --now", meaning: "emergency: every agent ends" },
  ],
  async run(context) {
    const [action = "status", ...rest] = context.positionals;
    if (!ACTIONS.some((one) => one === action)) {
      throw new UserError(`Unknown action "${action}" of herd pool`, {
        hint: `Allowed are ${ACTIONS.join(", ")}`,
      });
    }
    if (action === "start") return await (await import("./pool/start-pool.ts")).start(context);
    if (action === "setup") return await (await import("./pool/set-up-pool.ts")).setUp(context);
    if (action === "check") return await (await import("./pool/check-pool.ts")).check(context);
    if (action === "invite") {
      return await (await import("./pool/invite-bots.ts")).inviteBots(context);
    }
    if (action === "import") {
      return await (await import("./pool/import-settings.ts")).importSettings(context, rest);
    }
    await using door = await openPoolDoor(context);
    switch (action) {
      case "status":
        return await status(context, door);
      case "models":
        return await models(context, door);
      case "enrol":
        return await enrol(context, door, rest);
      case "scale":
        return await (await import("./pool/scale-pool.ts")).scale(context, door, rest);
      default:
        return await act(context, door, action, rest);
    }
  },
});

async function status({ out, json }: PoolContext, door: PoolDoor): Promise<number> {
  const pool = await door.request<PoolDocument>("GET", "/v1/pool");
  if (json) out.json({ ...pool, running: door.running });
  else showPool(out, pool, door.running);
  return EXIT.done;
}

interface ModelsDocument {
  default: string | null;
  items: readonly {
    name: string;
    backend: string;
    model: string | null;
    use: string | null;
    usd_per_million_tokens: { input: number; output: number } | null;
  }[];
}

async function models({ out, json }: PoolContext, door: PoolDoor): Promise<number> {
  const found = await door.request<ModelsDocument>("GET", "/v1/pool/models");
  if (json) {
    out.json(found);
    return EXIT.done;
  }
  for (const { name, backend, model, use, usd_per_million_tokens: price } of found.items) {
    const cost = price === null
      ? "price not known"
      : `$${price.input} in / $${price.output} out per million tokens`;
    const mark = name === found.default ? " (default)" : "";
    out.print(`${name}${mark}: ${model ?? "default"} at ${backend}, ${cost}`);
    if (use !== null) out.print(`    ${use}`);
  }
  if (found.items.length === 0) out.print("No models: the configuration's pool.models lists them");
  return EXIT.done;
}

async function enrol(
  { values, out, json }: PoolContext,
  door: PoolDoor,
  [name, ...more]: readonly string[],
): Promise<number> {
  if (name === undefined || more.length > 0) {
    throw new UserError("Cannot enrol: one worker's name is wanted", {
      hint: "herd pool enrol worker-1",
    });
  }
  if (!door.running && values.via !== "files") {
    throw new UserError("Cannot enrol a worker: no daemon runs, and codes live in it", {
      hint: "`herd pool start --detach` starts one",
    });
  }
  const made = await door.request<
    { worker: string; code: string | null; valid_minutes: number | null; command: string }
  >("POST", "/v1/pool/workers", { name, labels: values.label, via: values.via ?? "http" });
  if (json) out.json(made);
  else {
    if (made.code !== null) {
      out.print(`${made.code}   (for ${made.worker}, once, within ${made.valid_minutes} minutes)`);
    }
    out.print(`On its machine: ${made.command}`);
  }
  return EXIT.done;
}

async function act(
  { values, out, json }: PoolContext,
  door: PoolDoor,
  action: string,
  workers: readonly string[],
): Promise<number> {
  if (action === "stop" || (action === "resume" && workers.length === 0)) {
    await door.request("POST", `/v1/pool/${action}`, bodyOf(action, values));
    if (json) out.json({ done: true });
    else out.print(action === "stop" ? stopText(values.now === true) : "Work goes on");
    return EXIT.done;
  }
  if (workers.length === 0) {
    throw new UserError(`Missing the worker's name`, { hint: "`herd pool` lists them" });
  }
  for (const name of workers) {
    const path = `/v1/pool/workers/${encodeURIComponent(name)}`;
    if (action === "remove") await door.request("DELETE", path);
    else await door.request("POST", `${path}/drain${action === "resume" ? "?undo=true" : ""}`, {});
    if (!json) out.print(`${name} ${doneText(action)}`);
  }
  if (json) out.json({ done: true });
  return EXIT.done;
}

function bodyOf(action: string, values: Context<typeof POOL_OPTIONS>["values"]): object {
  if (action !== "stop") return {};
  return {
    now: values.now === true,
    ...(values.reason === undefined ? {} : { reason: values.reason }),
  };
}

function stopText(now: boolean): string {
  return now
    ? "Every agent is being ended, nothing new begins; `herd pool resume` undoes it"
    : "Nothing new begins; what runs goes on; `herd pool resume` undoes it";
}

function doneText(action: string): string {
  if (action === "remove") return "is removed; what it ran is offered again";
  return action === "drain" ? "takes nothing new" : "takes work again";
}
