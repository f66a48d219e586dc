import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../lib/base/errors.ts";
import type { Terminal } from "../lib/base/terminal.ts";
import { visible } from "../lib/base/width.ts";
import type { EngineWish } from "../lib/daemon/pool-engine.ts";
import type { PlainMapping } from "../lib/sweep/yaml-text.ts";
import type { Ask } from "./ask-bot.ts";
import type { Context } from "./command.ts";
import { say } from "./open.ts";

type Asked = Pick<Context, "out" | "env">;

const USUAL_BUDGET = 5;

/** `imports`: what another program's configuration says may be taken as well. */
export async function askForEngine(
  { out, env }: Asked,
  ask: Ask,
  { question, imports }: { question: string; imports: boolean },
): Promise<{ engine: EngineWish | undefined; parts: readonly PlainMapping[] }> {
  const { KEY_VARIABLE, PRESETS, wrongWith } = await import("../lib/daemon/pool-engine.ts");
  const openclaw = join(env["HOME"] ?? "/", ".openclaw/openclaw.json");
  const isThere = (name: string | undefined) =>
    name !== undefined && env[name]?.trim() ? `, ${name} is set` : "";
  const kinds = [
    ["anthropic", `its models${isThere(KEY_VARIABLE.anthropic)}`],
    ["openrouter", `models of many makers${isThere(KEY_VARIABLE.openrouter)}`],
    ["openai", "another API that speaks as OpenAI's does"],
    ["acp", `an agent program: ${PRESETS.join(", ")}`],
    ["command", "a program of yours: the task on standard input, the answer on standard output"],
    ...(imports && existsSync(openclaw) ? [["import", `what ${openclaw} says`] as const] : []),
  ] as const;
  out.print(question);
  kinds.forEach(([name, text], i) => out.print(`   ${i + 1}. ${name}: ${text}`));
  for (let empty = 0;;) {
    const answer = await ask("   Number:");
    if (answer === "" && ++empty < 3) {
      out.print(`   A number from 1 to ${kinds.length} is wanted; Ctrl-C leaves the set-up.`);
      continue;
    }
    if (answer === "") throw new UserError("The set-up was left: nothing does the work yet");
    const kind = kinds[Number(answer) - 1]?.[0] ?? kinds.find(([name]) => name === answer)?.[0];
    if (kind === undefined) {
      out.print(`   "${visible(answer)}" is none of them.`);
      continue;
    }
    if (kind === "import") {
      const { importSettings } = await import("../lib/daemon/import-settings.ts");
      const { section, notices } = importSettings(openclaw);
      notices.forEach((notice) => say(out, visible(notice)));
      return { engine: undefined, parts: [section] };
    }
    const engine = await askForParts(kind, { env, ask, out, variable: KEY_VARIABLE[kind] });
    const wrong = wrongWith(engine);
    if (wrong.length === 0) return { engine, parts: [] };
    wrong.forEach((one) => out.print(`   ${visible(one)}`));
  }
}

async function askForParts(
  engine: EngineWish["engine"],
  { env, ask, out, variable }: {
    env: Asked["env"];
    ask: Ask;
    out: Terminal;
    variable: string | undefined;
  },
): Promise<EngineWish> {
  const text = async (question: string) => (await ask(`   ${question}`)) || undefined;
  const baseUrl = engine === "openai"
    ? (await text("Its address, such as https://api.example.org/v1:"))?.replace(/\/+$/, "")
    : undefined;
  const model = engine === "openai" ? await text("The model, as the API names it:") : undefined;
  const preset = engine === "acp" ? await text("Which of them:") : undefined;
  const line = engine === "command" ? await text("The program and its arguments:") : undefined;
  return {
    engine,
    key: variable === undefined ? undefined : await askForKey(variable, { env, ask, out }),
    baseUrl,
    preset,
    program: line?.split(/\s+/) ?? [],
    models: model === undefined ? [] : [{ alias: "primary", id: model }],
    sandbox: undefined,
  };
}

async function askForKey(
  variable: string,
  { env, ask, out }: { env: Asked["env"]; ask: Ask; out: Terminal },
): Promise<EngineWish["key"]> {
  if (env[variable]?.trim()) {
    out.print(`   The key is taken from ${variable}, also where workers are started.`);
    return { env: variable };
  }
  const key = await ask(
    `   Paste its key (it is not shown), or Enter to set ${variable} yourself:`,
    { hidden: true },
  );
  return key === "" ? { env: variable } : { text: key };
}

export async function askForSandbox(
  { out, env }: Asked,
  ask: Ask,
  question: string,
): Promise<"none" | "workspace"> {
  const { findConfinement } = await import("../lib/daemon/confinement.ts");
  const { kind, says } = await findConfinement(env);
  out.print(question);
  out.print("   1. workspace: the work's own folder, and the system's programs");
  out.print("   2. none: everything that herd's account may do");
  if (kind === "none") out.print(`   ${visible(says)}`);
  const usual = kind === "none" ? "2" : "1";
  const answer = (await ask(`   Number [${usual}]:`)) || usual;
  return answer === "2" || answer === "none" ? "none" : "workspace";
}

export async function askForBudget(
  out: Terminal,
  ask: Ask,
  number: string,
): Promise<number | undefined> {
  for (;;) {
    const answer = await ask(
      `${number} What may be spent on a day, in US dollars? "none" is no limit [${USUAL_BUDGET}]:`,
    );
    if (/^none$/i.test(answer)) return undefined;
    const usd = answer === "" ? USUAL_BUDGET : Number(answer.replace(/^\$/, ""));
    if (Number.isFinite(usd) && usd >= 0) return usd;
    out.print(`   "${visible(answer)}" is no amount.`);
  }
}
