import { isAbsolute, normalize } from "node:path";
import { z } from "../base/schema.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const name = z.string().regex(NAME, "the name of an environment variable");
const count = (most: number) => z.number().int().min(1).max(most);
const url = z.string().refine(isHttpUrl, "an http or https address");
const path = z.string().refine(isAbsolute, "an absolute path");
/** The program and its arguments; nothing of a task is ever put into them. */
const command = z.array(z.string().max(8_192).refine(hasNoNul, "a text without NUL")).min(1)
  .refine((words) => words[0] !== "", "a list that begins with a program");
const insideFolder = z.string().refine(isInside, "a path within the task's folder");

/** Ask the model through the daemon: for programs, with which backend of the configuration. */
const relay = z.union([z.boolean(), z.string().min(1)]).optional();

const api = {
  relay,
  /** The key itself; `apiKeyEnv` names the variable that holds it. One of both. */
  apiKey: z.string().min(1).optional(),
  apiKeyEnv: name.optional(),
  /** Longest answer of one call, in tokens. */
  maxTokens: count(1_000_000).optional(),
  /** Calls to the model in one attempt. */
  maxTurns: count(10_000).optional(),
};

const program = {
  command,
  relay,
  /** Variables of the worker's own environment that the program gets beside the attempt's. */
  env: z.array(name).optional(),
  /** What the sandbox lets it reach beside the task's folder, such as its own installation and login. */
  reads: z.array(path).optional(),
  writes: z.array(path).optional(),
};

export const backendConfigSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("anthropic"), baseUrl: url.optional(), ...api }),
  z.strictObject({
    kind: z.literal("openai"),
    /** Up to and without `/chat/completions`. */
    baseUrl: url,
    headers: z.record(z.string().min(1), z.string()).optional(),
    /** Absent: by the address. */
    dialect: z.enum(["openai", "openrouter"]).optional(),
    ...api,
  }),
  z.strictObject({
    kind: z.literal("acp"),
    ...program,
    /** Id of the session's option that chooses the model; absent: the one of that category. */
    modelOption: z.string().min(1).optional(),
    /** The session's mode, by id. */
    mode: z.string().min(1).optional(),
  }),
  z.strictObject({
    kind: z.literal("command"),
    ...program,
    /** `file`: TASK.txt, where it always is, and nothing on standard input. */
    input: z.enum(["stdin", "file"]),
    /** `file`: RESULT.txt. */
    result: z.enum(["file", "stdout"]),
    /** JSON that the program may leave, see `command-usage.ts`. */
    usageFile: insideFolder.optional(),
  }),
]);

export type BackendConfig = z.infer<typeof backendConfigSchema>;
export type ConfigOf<Kind extends BackendConfig["kind"]> = Extract<BackendConfig, { kind: Kind }>;

/** A configuration from outside, checked; else what is wrong first: a sentence without a period. */
export function readBackendConfig(value: unknown): BackendConfig | { refused: string } {
  const parsed = backendConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue?.path.map(String).join(".") || "kind";
  const keys = issue?.code === "unrecognized_keys" ? issue.keys : [];
  if (keys.length > 0) {
    const inside = issue?.path.length ? ` in "${at}"` : "";
    return { refused: `Cannot use the backend: it has no setting "${keys[0]}"${inside}` };
  }
  // Neither the value: it may be a key. The library's own words quote none.
  return { refused: `Cannot use the backend: "${at}" is not as it should be: ${issue?.message}` };
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function isInside(text: string): boolean {
  const plain = normalize(text);
  return hasNoNul(text) && text !== "" && !isAbsolute(plain) && plain !== "." &&
    plain.split("/")[0] !== "..";
}

function hasNoNul(text: string): boolean {
  return !text.includes("\0");
}
