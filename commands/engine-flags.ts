import type { EngineWish } from "../lib/daemon/pool-engine.ts";
import type { Context } from "./command.ts";
import type { SetupValues } from "./setup-options.ts";

type Env = Context["env"];

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What works, as the options say it; undefined where they do not. Pushes each mistake. */
export async function readEngineFlags(
  values: SetupValues,
  env: Env,
  wrong: string[],
): Promise<EngineWish | undefined> {
  if (values.backend === undefined) {
    if (values.model.length > 0 || values.program.length > 0) {
      wrong.push("Cannot use --model or --program without --backend");
    }
    return undefined;
  }
  const engine = engineOf(values, env, wrong);
  const { wrongWith } = await import("../lib/daemon/pool-engine.ts");
  wrong.push(...wrongWith(engine));
  return engine;
}

/** What is no name of a variable, and no server's id. */
export function wrongNames(tokenVariable: string | undefined, values: SetupValues): string[] {
  const { guild } = values;
  const names = [tokenVariable, values["key-env"]].filter((name) => name !== undefined);
  return [
    // Somebody may have put the secret itself there: it is not shown.
    ...names.filter((name) => !VARIABLE.test(name)).map(() =>
      "Cannot use --token-env or --key-env: expected the name of a variable"
    ),
    ...(guild === undefined || /^\d{1,20}$/.test(guild)
      ? []
      : [`Cannot use --guild "${guild}": expected the server's id, of digits`]),
  ];
}

function engineOf(
  values: SetupValues,
  env: Env,
  wrong: string[],
): EngineWish {
  const engine = values.backend!;
  return {
    engine,
    key: keyOf(values, env, wrong),
    baseUrl: values["base-url"]?.replace(/\/+$/, ""),
    preset: values.preset,
    program: values.program,
    models: values.model.map((text) => {
      // A model's id may hold "=", an alias does not.
      const match = /^([A-Za-z0-9][A-Za-z0-9._:-]{0,63})=(.+)$/.exec(text);
      return match === null ? { alias: undefined, id: text } : { alias: match[1]!, id: match[2]! };
    }),
    sandbox: values.sandbox,
  };
}

const USUAL_KEY: Readonly<Record<string, string>> = {
  anthropic: "ANTHROPIC_API_KEY",
  openrouter: "OPENROUTER_API_KEY",
};

function keyOf(
  values: SetupValues,
  env: Env,
  wrong: string[],
): EngineWish["key"] {
  // A server of one's own may want none, so that nothing is taken for granted with `openai`.
  const name = values["key-env"] ?? USUAL_KEY[values.backend!];
  if (name === undefined) return undefined;
  if (!values["store-keys"]) return { env: name };
  const text = env[name]?.trim();
  if (!text) {
    wrong.push(`Cannot put the API's key into the file: the variable ${name} is not set`);
    return { env: name };
  }
  return { text };
}

/** The one API whose key is here. */
export async function usualEngine(
  env: Env,
  keepsSecrets: boolean,
): Promise<EngineWish | undefined> {
  const { KEY_VARIABLE } = await import("../lib/daemon/pool-engine.ts");
  const there = (["anthropic", "openrouter"] as const).filter((one) =>
    env[KEY_VARIABLE[one]!]?.trim()
  );
  const [engine, ...others] = there;
  if (engine === undefined || others.length > 0) return undefined;
  const name = KEY_VARIABLE[engine]!;
  return {
    engine,
    key: keepsSecrets ? { text: env[name]!.trim() } : { env: name },
    baseUrl: undefined,
    preset: undefined,
    program: [],
    models: [],
    sandbox: undefined,
  };
}
