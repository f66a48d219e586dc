import type {
  AnyAuthMethod,
  AuthHandlerMiddleware,
  BaseAgent,
  KeyboardInteractiveAuthMethod,
} from "./ssh2.d.ts";
// @ts-types="./ssh2.d.ts"
import ssh2 from "ssh2";
import { shownText } from "../base/shown.ts";
import type { Asker, SshQuestion } from "./asker.ts";
import { collectIdentities, type Identity, type KeyRing } from "./identities.ts";
import type { AuthMethod, ResolvedHost } from "./resolve-host.ts";
import { SshError } from "./ssh-error.ts";

export interface AuthParts {
  asker: Asker | undefined;
  ring: KeyRing;
  home: string;
  signal: AbortSignal;
  /** Ends the whole attempt: nobody answered. */
  giveUp(error: SshError): void;
}

export interface Authentication {
  handler: AuthHandlerMiddleware;
  /** What convinced the server, once it is convinced. */
  method(): string;
  /** What was tried and why it did not do. */
  refusal(): SshError;
}

/** What the server said to the attempt before. */
interface Reply {
  left: readonly string[] | undefined;
  partial: boolean;
}

type Attempts = AsyncGenerator<AnyAuthMethod, void, Reply>;

/** How far it has come. */
interface Course extends AuthParts {
  host: ResolvedHost;
  tried: string[];
  /** Methods that convinced the server in part. */
  passed: string[];
  remarks: string[];
  /** Methods that the server still wants, as far as it has said. */
  allowed: readonly string[];
}

/** Convinces a server in OpenSSH's order: keys, questions of the server's, a password. */
export function createAuthentication(host: ResolvedHost, parts: AuthParts): Authentication {
  const course: Course = {
    ...parts,
    host,
    tried: [],
    passed: [],
    remarks: [],
    allowed: host.methods,
  };
  const attempts = attempt(course);
  let failure: unknown;
  return {
    handler(left, partial, next) {
      const reply = { left: left ?? undefined, partial: partial ?? false };
      const none = () => next(false);
      attempts.next(reply).then(
        ({ done, value }) => done === true ? none() : next(value as AnyAuthMethod),
        (error) => {
          failure = error;
          none();
        },
      );
    },
    method: () => [...course.passed, course.tried.at(-1) ?? "none"].join(" and "),
    refusal: () => refusalOf(course, failure),
  };
}

async function* attempt(course: Course): Attempts {
  const { host } = course;
  const first = yield { type: "none", username: host.user };
  hear(course, first);
  const { list, remarks } = course.host.methods.includes("publickey")
    ? await collectIdentities(host, course)
    : { list: [], remarks: [] };
  course.remarks.push(...remarks);
  const keys = [...list];
  const spent = new Set<AuthMethod>();
  for (;;) {
    const method = host.methods.find((one) => course.allowed.includes(one) && !spent.has(one));
    if (method === undefined) return;
    if (method === "publickey") {
      if (!(yield* tryKeys(course, keys))) spent.add(method);
      // Whoever was convinced by a key in part wants something else next.
      else if (yield* tryOthers(course, spent)) continue;
    } else if (method === "password") {
      if (!(yield* tryPassword(course))) spent.add(method);
    } else if (!(yield* tryQuestions(course))) spent.add(method);
  }
}

/** After a key: whatever is no key first, as the server does not tell what it wants next. */
async function* tryOthers(course: Course, spent: Set<AuthMethod>) {
  for (const method of course.host.methods) {
    if (method === "publickey" || spent.has(method) || !course.allowed.includes(method)) continue;
    const passed = method === "password" ? yield* tryPassword(course) : yield* tryQuestions(course);
    if (passed) return true;
    spent.add(method);
  }
  return true;
}

/** Whether a key convinced the server in part. Keys that were tried are taken off the list. */
async function* tryKeys(
  course: Course,
  keys: Identity[],
): AsyncGenerator<AnyAuthMethod, boolean, Reply> {
  for (let key = keys.shift(); key !== undefined; key = keys.shift()) {
    const signing = { made: false };
    course.tried.push(`publickey (${key.label})`);
    const reply = yield {
      type: "agent",
      username: course.host.user,
      agent: agentOf(key, signing, course),
    };
    if (!signing.made) continue;
    // ssh2 does not pass on what a server says after an agent's signature: all is possible.
    if (reply.left !== undefined && reply.partial) hear(course, reply);
    else course.allowed = course.host.methods;
    course.passed.push(course.tried.at(-1)!);
    return true;
  }
  return false;
}

/** A key as an agent of its own: it is unlocked only when the server has said that it will do. */
function agentOf(key: Identity, signing: { made: boolean }, course: Course): BaseAgent {
  return Object.assign(Object.create(ssh2.BaseAgent.prototype), {
    getIdentities: (done: (error: undefined, keys: unknown[]) => void) =>
      done(undefined, [key.publicKey]),
    sign(
      _: unknown,
      data: Buffer,
      options: { hash?: string },
      done: (error?: Error, signature?: Buffer) => void,
    ) {
      key.sign(data, options.hash).then((signature) => {
        signing.made = true;
        done(undefined, signature);
      }, (error: Error) => {
        course.remarks.push(`${key.label}: ${error.message}`);
        done(error);
      });
    },
  });
}

async function* tryQuestions(course: Course): AsyncGenerator<AnyAuthMethod, boolean, Reply> {
  const { host, asker } = course;
  if (asker === undefined || host.batchMode) {
    course.remarks.push("keyboard-interactive: nobody can be asked");
    return false;
  }
  for (let attempt = 1; attempt <= host.passwordPrompts; attempt++) {
    let asked = false;
    course.tried.push("keyboard-interactive");
    const prompt: KeyboardInteractiveAuthMethod["prompt"] = (
      _name,
      instructions,
      _lang,
      prompts,
      finish,
    ) => {
      asked = true;
      answerAll(course, instructions, prompts, attempt).then(finish, (error) => {
        course.giveUp(error as SshError);
      });
    };
    const reply = yield { type: "keyboard-interactive", username: host.user, prompt };
    if (hear(course, reply)) return true;
    if (!asked) {
      course.tried.pop();
      return false;
    }
  }
  return false;
}

async function* tryPassword(course: Course): AsyncGenerator<AnyAuthMethod, boolean, Reply> {
  const { host, asker } = course;
  if (asker === undefined || host.batchMode) {
    course.remarks.push("password: nobody can be asked");
    return false;
  }
  for (let attempt = 1; attempt <= host.passwordPrompts; attempt++) {
    course.tried.push("password");
    const password = await ask(course, {
      prompt: `Password of ${host.user}@${host.hostName}:`,
      echo: false,
      kind: "password",
      attempt,
    });
    const reply = yield { type: "password", username: host.user, password };
    if (hear(course, reply)) return true;
    if (!course.allowed.includes("password")) return false;
  }
  return false;
}

/** Takes in what the server still wants; whether it was convinced in part. */
function hear(course: Course, { left, partial }: Reply): boolean {
  if (left !== undefined) course.allowed = left;
  if (partial) course.passed.push(course.tried.at(-1) ?? "none");
  return partial;
}

async function answerAll(
  course: Course,
  instructions: string,
  prompts: readonly { prompt: string; echo?: boolean }[],
  attempt: number,
): Promise<string[]> {
  const answers: string[] = [];
  for (const [index, { prompt, echo = false }] of prompts.entries()) {
    const words = index === 0 ? [instructions, prompt] : [prompt];
    answers.push(
      await ask(course, {
        prompt: words.map((one) => oneLine(one)).filter((one) => one !== "").join(" ") || "Answer:",
        echo,
        kind: /passwor[dt]|pass ?phrase/i.test(prompt) ? "password" : "code",
        attempt,
      }),
    );
  }
  return answers;
}

async function ask(
  { asker, host, signal }: Course,
  question: Omit<SshQuestion, "host" | "title">,
): Promise<string> {
  const title = `${host.user}@${host.hostName}`;
  const answer = await asker?.({ ...question, host: host.alias, title }, signal);
  if (answer !== undefined) return answer;
  throw new SshError(
    "authentication",
    host.alias,
    `Cannot log in at "${host.alias}": it asks "${question.prompt}", and nobody answered`,
    { hint: "Try again when you have the answer at hand" },
  );
}

/** A server's words without what would move the cursor or break the line. */
function oneLine(text: string): string {
  return shownText(text).replace(/\p{Cc}\[[^m]*m/gu, "").replace(/[\p{Cc}\s]+/gu, " ").trim();
}

function refusalOf({ host, tried, remarks }: Course, failure: unknown): SshError {
  if (failure instanceof SshError) return failure;
  const what = [...new Set(tried)].join(", ") || "nothing: there was no usable key";
  const notes = remarks.length === 0 ? "" : `; ${remarks.join("; ")}`;
  return new SshError(
    "authentication",
    host.alias,
    `Cannot log in at "${host.alias}" as "${host.user}": the server refused. Tried ${what}${notes}`,
    {
      hint: tried.at(-1) === "keyboard-interactive"
        ? "A code is good once, and not for long: wait for the next one, then try again"
        : `Compare with: ssh -v ${host.alias}. A key is chosen by IdentityFile in ~/.ssh/config`,
      ...(failure === undefined ? {} : { cause: failure }),
    },
  );
}
