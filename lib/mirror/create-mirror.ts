import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { codeOf } from "../base/files.ts";
import { RemoteFileError } from "../ssh/remote-files.ts";
import { SshError } from "../ssh/ssh-error.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { chooseFiles, type ChosenFiles, type FilesWish } from "./choose-files.ts";
import { examineThere, type Lack } from "./examine-there.ts";
import { askHost, type HostFacts } from "./host-facts.ts";
import { MirrorError } from "./mirror-error.ts";
import {
  freshMirrorMemory,
  mirrorMemoryPath,
  readMirrorMemory,
  writeMirrorMemory,
} from "./mirror-memory.ts";
import { createPuller, type Puller, type PullReport } from "./pull.ts";
import { createPusher, type Pusher, type PushReport } from "./push.ts";
import { waitingFiles } from "./waiting-files.ts";

/** What a sweep asks of the other side. */
export interface MirrorWish {
  /** The folder there as the YAML has it: absolute, or below the home folder. */
  path: string | undefined;
  /** Of the sweep: names the folder where the YAML does not. */
  name: string;
  files: FilesWish;
}

export interface MirrorParts {
  host: SshHost;
  /** The workspace here. */
  here: WorkspacePaths;
  /** The workspace's paths when it is in another folder. */
  pathsAt(root: string): WorkspacePaths;
  /** By the YAML as it is now; throws UserError. */
  wish(): MirrorWish;
  /** The host was named on a command line, and is to be remembered. */
  isWished: boolean;
  /** The user's word that the folder there is this workspace's, whoever used it before. */
  adopts: boolean;
  user: string;
  clock: Clock;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** The workspace as it is on the host. */
export interface ThereAndFacts {
  paths: WorkspacePaths;
  facts: HostFacts;
}

/**
 * A workspace whose jobs run on another computer: here is the truth, there is a copy of what jobs
 * need, and what they write comes here. Everything rejects with MirrorError.
 */
export interface Mirror extends AsyncDisposable {
  readonly host: string;
  /** Undefined before it was surveyed or opened once in this process. */
  there(): ThereAndFacts | undefined;
  /** Connects and learns what the host is and whether the folder there can be ours; changes nothing. */
  survey(signal?: AbortSignal): Promise<ThereAndFacts>;
  /** What keeps jobs from running there; changes nothing. */
  examine(signal?: AbortSignal): Promise<readonly Lack[]>;
  /** What `push` would have there beside herd's own files. Throws MirrorError. */
  chosen(): ChosenFiles;
  /** Connects, finds or makes the folder there, and learns what the host is. Once. */
  open(signal?: AbortSignal): Promise<ThereAndFacts>;
  /** Brings what jobs wrote. Whoever asks while one is under way gets that one's outcome. */
  pull(signal?: AbortSignal): Promise<PullReport>;
  /** When it resolves everything that a job needs is there. */
  push(signal?: AbortSignal): Promise<PushReport>;
  /** When it resolves what `touched` told of is there; at once where nothing was. */
  settle(signal?: AbortSignal): Promise<void>;
  /** Something for jobs was written here: it goes there soon, and with the next `pull` at the latest. */
  touched(): void;
}

const SOON_MS = 300;
/** What was fetched is written down so often; after a crash the rest is compared anew. */
const REMEMBER_MS = 60_000;

export function createMirror(parts: MirrorParts): Mirror {
  const { host, here, clock, log } = parts;
  const memoryPath = mirrorMemoryPath(here.state);
  let memory = readMirrorMemory(memoryPath) ?? freshMirrorMemory(host.name);
  let surveyed: ThereAndFacts | undefined;
  let isOurs = false;
  let opened: (ThereAndFacts & { puller: Puller; pusher: Pusher }) | undefined;
  let opening: Promise<NonNullable<typeof opened>> | undefined;
  let pulling: Promise<PullReport> | undefined;
  let pushing: Promise<unknown> = Promise.resolve();
  let rememberedAt = -Infinity;
  let isOwed = false;
  let soon: ReturnType<typeof setTimeout> | undefined;

  async function survey(signal?: AbortSignal): Promise<ThereAndFacts> {
    const wish = parts.wish();
    await host.connect(signal);
    const facts = surveyed?.facts ?? await askHost(host, signal);
    const paths = parts.pathsAt(rootOf(wish, facts.home));
    isOurs = await refuseOthers(paths);
    surveyed = { paths, facts };
    return surveyed;
  }

  async function openNow(signal: AbortSignal | undefined): Promise<NonNullable<typeof opened>> {
    const { paths, facts } = await survey(signal);
    const { root } = paths;
    mkdirSync(here.state, { recursive: true, mode: 0o700 });
    if (memory.host !== host.name || (memory.root !== undefined && memory.root !== root)) {
      // Another place knows nothing of what was sent and fetched.
      memory = { ...freshMirrorMemory(host.name), id: memory.id };
    }
    await claim(paths);
    memory = { ...memory, root, isWished: parts.isWished };
    const puller = createPuller({
      host,
      root,
      here: here.state,
      clock,
      known: memory.fetched,
      log,
    });
    const pusher = createPusher({
      files: host.files,
      there: root,
      here: here.root,
      sent: memory.sent,
      nonce: () => randomBytes(6).toString("hex"),
    });
    opened = { paths, facts, puller, pusher };
    remember(true);
    return opened;
  }

  /**
   * Two workspaces that sent their jobs from one folder would take each other's endings for theirs.
   * Tells whether the folder is ours already.
   */
  async function refuseOthers(paths: WorkspacePaths): Promise<boolean> {
    const { files, name } = host;
    if (await files.stat(paths.journal) !== undefined) {
      throw new MirrorError(
        "unusable",
        `Cannot use "${paths.root}" on "${name}": it is a sweep of its own, which herd runs there`,
        {
          hint: `Run it there: herd --host ${name} monitor …; or name another folder in slurm.path`,
        },
      );
    }
    const other = await readMarker(markerIn(paths));
    if (other !== undefined && other.id !== memory.id && !parts.adopts) {
      throw new MirrorError(
        "unusable",
        `Cannot use "${paths.root}" on "${name}": jobs are sent there from ${other.from}`,
        {
          hint: "Name another folder in slurm.path; if that one is gone for good, say so with " +
            "HERD_ADOPT=1",
        },
      );
    }
    return other?.id === memory.id;
  }

  async function claim(paths: WorkspacePaths): Promise<void> {
    await host.files.makeFolder(paths.state, { parents: true, mode: 0o700 });
    // By this file `herd log` and HyperHerd's library tell that they see the whole workspace.
    if (await host.files.stat(paths.manifest) === undefined) {
      await host.files.replace(paths.manifest, new TextEncoder().encode("[]\n"), 0o600);
    }
    if (isOurs) return;
    const from = `${parts.user}@${hostname()}:${here.root}`;
    const text = `${JSON.stringify({ id: memory.id, from })}\n`;
    await host.files.replace(markerIn(paths), new TextEncoder().encode(text), 0o600);
  }

  async function readMarker(path: string): Promise<{ id: string; from: string } | undefined> {
    if (await host.files.stat(path) === undefined) return undefined;
    try {
      const value: unknown = JSON.parse(
        new TextDecoder().decode(await host.files.readBytes(path, { length: 65_536 })),
      );
      const { id, from } = value as { id?: unknown; from?: unknown };
      return { id: String(id), from: String(from) };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return { id: "", from: `somewhere ("${path}" cannot be read)` };
    }
  }

  function remember(isNow: boolean): void {
    if (opened === undefined || (!isNow && clock.now() - rememberedAt < REMEMBER_MS)) return;
    rememberedAt = clock.now();
    memory = { ...memory, sent: opened.pusher.sent(), fetched: opened.puller.known() };
    try {
      writeMirrorMemory(memoryPath, memory);
    } catch (error) {
      log("warn", `Cannot write "${memoryPath}"`, { error: codeOf(error) ?? `${error}` });
    }
  }

  async function open(signal?: AbortSignal): Promise<NonNullable<typeof opened>> {
    if (opened !== undefined) return opened;
    opening ??= openNow(signal).finally(() => opening = undefined);
    return await opening;
  }

  async function pull(signal?: AbortSignal): Promise<PullReport> {
    const { puller } = await open(signal);
    // What is wrong with what goes there keeps nothing from coming here.
    if (isOwed) await pushInTurn(signal).catch((error: unknown) => log("warn", `${error}`));
    const report = await puller.pull(signal);
    remember(false);
    return report;
  }

  async function push(signal?: AbortSignal): Promise<PushReport> {
    const { pusher } = await open(signal);
    isOwed = false;
    try {
      const chosen = choose();
      const { files, folders } = waitingFiles(here.state);
      const all = [...chosen.files, ...files];
      const report = await pusher.push(all, {
        folders,
        ...(signal === undefined ? {} : { signal }),
      });
      for (const notice of chosen.notices) log("warn", notice);
      for (const path of report.kept) {
        log(
          "warn",
          `"${path}" had been changed on "${host.name}": that is kept as "${path}.there"`,
        );
      }
      if (report.files > 0) remember(true);
      return report;
    } catch (error) {
      isOwed = true;
      throw error;
    }
  }

  const choose = () => chooseFiles(here.root, parts.wish().files);

  /** One push at a time, each with what was written before it was asked for. */
  function pushInTurn(signal?: AbortSignal): Promise<PushReport> {
    const mine = pushing.then(() => push(signal));
    pushing = mine.catch(() => {});
    return mine;
  }

  return {
    host: host.name,
    there: () => opened ?? surveyed,
    survey: (signal) => told(host.name, opened === undefined ? survey(signal) : open(signal)),
    examine: (signal) =>
      told(host.name, survey(signal).then((there) => examineThere(host, there, signal))),
    chosen: choose,
    open: (signal) => told(host.name, open(signal)),
    pull(signal) {
      pulling ??= told(host.name, pull(signal)).finally(() => pulling = undefined);
      return pulling;
    },
    push: (signal) => told(host.name, pushInTurn(signal)),
    async settle(signal) {
      if (isOwed) await told(host.name, pushInTurn(signal));
    },
    touched() {
      isOwed = true;
      if (opened === undefined || soon !== undefined) return;
      soon = setTimeout(() => {
        soon = undefined;
        pushInTurn().catch((error: unknown) =>
          log("info", "What was written for jobs goes later", { error: `${error}` })
        );
      }, SOON_MS);
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(soon);
      await pulling?.catch(() => {});
      await pushing;
      remember(true);
    },
  };
}

function markerIn({ state }: WorkspacePaths): string {
  return join(state, "mirror-of.json");
}

/** A folder below the home folder where the YAML names none. */
function rootOf({ path, name }: MirrorWish, home: string): string {
  const below = path === undefined ? `herd/${name}` : path.replace(/^~\//, "");
  return below.startsWith("/") ? below : join(home, below);
}

/** What fails on the way is one kind of error to everybody. */
async function told<T>(host: string, act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (error) {
    if (error instanceof SshError) {
      throw new MirrorError("unreachable", error.message, {
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        cause: error,
      });
    }
    if (error instanceof RemoteFileError) {
      const kind = error.code === "LOST" ? "unreachable" : "unusable";
      throw new MirrorError(kind, `On "${host}": ${error.message}`, { cause: error });
    }
    throw error;
  }
}
