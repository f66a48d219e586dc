import { findProgram } from "../base/find-program.ts";
import { type Bwrap, bwrapArguments } from "./confine-bwrap.ts";
import { innerPlan, landlockPlan, underPlan } from "./confine-landlock.ts";
import { confinePaths, isWithin } from "./confine-paths.ts";
import { tryConfining } from "./confine-probe.ts";
import type { WrapSandbox } from "./wrap-sandbox.ts";

/** How this machine keeps a task's programs in. */
export interface Confinement {
  kind: "bwrap" | "landlock" | "none";
  wrap: WrapSandbox;
  /** What was found, in plain sentences for the operator. */
  says: string;
}

const MEND =
  'Install bubblewrap (the program "bwrap") and allow user namespaces, or use a kernel ' +
  "with Landlock (Linux 6.12) and python3";
/** Also where the account's search path is odd. */
const USUAL = "/usr/bin:/bin:/usr/local/bin";

/**
 * Finds out by trying what this machine can do: bubblewrap, else Landlock, else nothing, and then
 * every level but `none` is refused. Never throws for what the machine lacks.
 */
export async function findConfinement(
  env: Readonly<Record<string, string | undefined>>,
  ways: readonly ("bwrap" | "landlock")[] = ["bwrap", "landlock"],
): Promise<Confinement> {
  const path = `${env["PATH"] ?? ""}:${USUAL}`;
  const probeEnv = { PATH: path, LANG: "C" };
  const bubblewrap = ways.includes("bwrap") ? await tryBwrap(path, probeEnv) : "not wanted";
  if (typeof bubblewrap !== "string") return bubblewrap;
  const landlock = ways.includes("landlock") ? await tryLandlock(path, probeEnv) : "not wanted";
  if (typeof landlock !== "string") return landlock;
  const why = `bubblewrap: ${bubblewrap}; Landlock: ${landlock}`;
  return {
    kind: "none",
    wrap: (argv, { sandbox }) =>
      sandbox.level === "none" ? { argv: [...argv] } : {
        refused:
          `Cannot run with sandbox "${sandbox.level}": nothing on this machine can confine ` +
          `a program (${why}). ${MEND}, or let the task use [sandbox:none]`,
      },
    says: `Nothing can confine a program here (${why}). Tasks with a sandbox are refused. ${MEND}`,
  };
}

async function tryBwrap(
  path: string,
  env: Readonly<Record<string, string>>,
): Promise<Confinement | string> {
  const program = findProgram("bwrap", path);
  if (program === undefined) return "not installed";
  let why = "";
  for (const disablesNamespaces of [true, false]) {
    const bwrap = { program, disablesNamespaces };
    const bare = wrapWithBwrap(bwrap, undefined, undefined);
    const failure = await tryConfining(bare, true, env);
    if (failure !== undefined) {
      why = failure;
      continue;
    }
    const python = await findInner(bwrap, path, env);
    const noNetwork = await tryConfining(wrapWithBwrap(bwrap, python, undefined), false, env);
    return {
      kind: "bwrap",
      wrap: wrapWithBwrap(bwrap, python, noNetwork),
      says: "Programs are confined by bubblewrap" +
        (python === undefined
          ? "; where connections are allowed they also reach sockets without a path of this machine"
          : " and Landlock") +
        (noNetwork === undefined ? "" : `; connections cannot be cut off here (${noNetwork})`),
    };
  }
  return why;
}

/** The python that adds Landlock inside bubblewrap; undefined where that does not work. */
async function findInner(
  bwrap: Bwrap,
  path: string,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  for (const python of pythons(path)) {
    if (!isWithin(python, "/usr")) continue;
    const failure = await tryConfining(wrapWithBwrap(bwrap, python, undefined), true, env);
    if (failure === undefined) return python;
  }
  return undefined;
}

async function tryLandlock(
  path: string,
  env: Readonly<Record<string, string>>,
): Promise<Confinement | string> {
  let why = "python3 is not installed";
  for (const python of pythons(path)) {
    const wrap = wrapWithLandlock(python);
    const failure = await tryConfining(wrap, true, env) ?? await tryConfining(wrap, false, env);
    if (failure === undefined) {
      return {
        kind: "landlock",
        wrap,
        says:
          "Programs are confined by Landlock: they have no /tmp of their own but TMPDIR in the " +
          "task's folder, see the names of other processes, open no Unix sockets, and changing " +
          "the mode, owner or time of a file by its path does nothing. " +
          "bubblewrap would do without these limits",
      };
    }
    why = failure;
  }
  return why;
}

function pythons(path: string): string[] {
  const found = ["/usr/bin:/bin", path].map((folders) => findProgram("python3", folders));
  return [...new Set(found.filter((one) => one !== undefined))];
}

function wrapWithBwrap(
  bwrap: Bwrap,
  python: string | undefined,
  noNetwork: string | undefined,
): WrapSandbox {
  return (argv, { sandbox, ...wished }) => {
    const no = refuseWords(argv);
    if (no !== undefined) return no;
    if (sandbox.level === "none") return { argv: [...argv] };
    if (!sandbox.network && noNetwork !== undefined) {
      return {
        refused: `Cannot cut off connections with bubblewrap on this machine: ${noNetwork}`,
      };
    }
    const paths = confinePaths(wished);
    if ("refused" in paths) return paths;
    const inner = python === undefined ? undefined : innerPlan();
    const words = inner === undefined ? [...argv] : underPlan(python!, inner, argv);
    return { argv: [...bwrapArguments(bwrap, sandbox, paths), ...words] };
  };
}

function wrapWithLandlock(python: string): WrapSandbox {
  return (argv, { sandbox, ...wished }) => {
    const no = refuseWords(argv);
    if (no !== undefined) return no;
    if (sandbox.level === "none") return { argv: [...argv] };
    const paths = confinePaths(wished);
    if ("refused" in paths) return paths;
    const plan = landlockPlan(sandbox, paths);
    if (plan === undefined) {
      return { refused: `Cannot confine with Landlock on the processor "${process.arch}"` };
    }
    return { argv: underPlan(python, plan, argv) };
  };
}

function refuseWords(argv: readonly string[]): { refused: string } | undefined {
  if ((argv[0] ?? "") === "") return { refused: "Cannot start a program without a name" };
  return argv.some((word) => word.includes("\0"))
    ? { refused: "Cannot start a program: a word of its command has a zero byte in it" }
    : undefined;
}
