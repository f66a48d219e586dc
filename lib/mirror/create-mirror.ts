import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { codeOf } from "../base/files.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { chooseFiles, type FilesWish } from "./choose-files.ts";
import { type Clearing, clearThere } from "./clear-there.ts";
import { assertClaimed, assertFree, assertMarker, claim, type ClaimParts } from "./claim.ts";
import { examineThere } from "./examine-there.ts";
import { heldHere } from "./held-here.ts";
import { askHost } from "./host-facts.ts";
import type { Mirror } from "./mirror.ts";
import { mirrorFailure } from "./mirror-failure.ts";
import {
  freshMirrorMemory,
  mirrorMemoryPath,
  readMirrorMemory,
  writeMirrorMemory,
} from "./mirror-memory.ts";
import { createPuller, type Puller, type PullOptions, type PullReport } from "./pull.ts";
import { createPusher, type Pusher, type PushReport } from "./push.ts";
import type { ThereAndFacts } from "./there-and-facts.ts";
import { waitingFiles } from "./waiting-files.ts";

export interface MirrorParts {
  host: SshHost;
  /** The workspace here. */
  here: WorkspacePaths;
  /** The workspace's paths when it is in another folder. */
  pathsAt(root: string): WorkspacePaths;
  /** The folder there: absolute, or below the home folder. Throws UserError. */
  folder(): string;
  /** By the YAML as it is now; throws UserError. */
  wish(): FilesWish;
  /** The host was named on a command line, and is to be remembered. */
  isWished(): boolean;
  /** The user's word that the folder there is this workspace's, whoever used it before. */
  adopts: boolean;
  user: string;
  /** Whether jobs that were submitted from here may be alive there. */
  isLive(): boolean;
  /** Tells the folder here from a copy of it; undefined where that cannot be told. */
  inode(): string | undefined;
  /** Other processes of herd bring and fetch files of this workspace before or after, not meanwhile. */
  alone<T>(purpose: string, act: () => Promise<T>): Promise<T>;
  clock: Clock;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

interface Surveyed extends ThereAndFacts {
  claim: ClaimParts;
}

interface Opened extends Surveyed {
  puller: Puller;
  pusher: Pusher;
}

const SOON_MS = 300;
/** What was fetched is written down so often; after a crash the rest is compared anew. */
const REMEMBER_MS = 60_000;

export function createMirror(parts: MirrorParts): Mirror {
  const { host, here, clock, log } = parts;
  const memoryPath = mirrorMemoryPath(here.state);
  let memory = readMirrorMemory(memoryPath) ?? freshMirrorMemory(host.name);
  let surveyed: Surveyed | undefined;
  let opened: Opened | undefined;
  let opening: Promise<Opened> | undefined;
  let pulling: Promise<unknown> = Promise.resolve();
  let next: Promise<PullReport> | undefined;
  let pushing: Promise<unknown> = Promise.resolve();
  let pulledAt: number | undefined;
  let rememberedAt = -Infinity;
  // An earlier life may have written something that it could not bring there any more.
  let isOwed = true;
  let soon: ReturnType<typeof setTimeout> | undefined;

  async function find(signal: AbortSignal | undefined): Promise<Surveyed> {
    const folder = parts.folder();
    await host.connect(signal);
    const facts = surveyed?.facts ?? await askHost(host, signal);
    const paths = parts.pathsAt(rootOf(folder, facts.home));
    const self = {
      id: memory.id,
      from: `${parts.user}@${hostname()}:${here.root}`,
      inode: parts.inode(),
    };
    const isLive = parts.isLive();
    return { paths, facts, claim: { host, paths, self, adopts: parts.adopts, isLive } };
  }

  async function survey(signal?: AbortSignal): Promise<Surveyed> {
    if (opened !== undefined) return opened;
    const found = await find(signal);
    await assertFree(found.claim);
    return surveyed = found;
  }

  async function openNow(signal: AbortSignal | undefined): Promise<Opened> {
    mkdirSync(here.state, { recursive: true, mode: 0o700 });
    const found = await find(signal);
    const { root } = found.paths;
    if (memory.host !== host.name || memory.root !== root) {
      // Another place knows nothing of what was sent and fetched.
      memory = { ...freshMirrorMemory(host.name), id: memory.id };
    }
    memory = { ...memory, root, isWished: parts.isWished() };
    // Killed after the claim, the next life has to be known there by its id.
    writeMirrorMemory(memoryPath, memory);
    const claimed = await claim(found.claim, stampText(clock.now()));
    if (claimed !== "kept") memory = { ...memory, sent: new Map() };
    if (claimed === "empty") memory = { ...memory, fetched: heldHere(here.state) };
    const { fetched: known, sent } = memory;
    const puller = createPuller({
      ...{ host, root, here: here.state, clock, known, log },
      assertOurs: (marker) => assertMarker(found.claim, marker),
    });
    const pusher = createPusher({
      ...{ files: host.files, there: root, here: here.root, sent },
      nonce: () => randomBytes(6).toString("hex"),
      now: clock.now,
    });
    opened = { ...found, puller, pusher };
    remember(true);
    return opened;
  }

  function remember(isNow: boolean): void {
    if (opened === undefined || (!isNow && clock.now() - rememberedAt < REMEMBER_MS)) return;
    rememberedAt = clock.now();
    memory = { ...memory, sent: opened.pusher.sent(), fetched: opened.puller.known() };
    try {
      const now = readMirrorMemory(memoryPath);
      // Another command may have chosen another place meanwhile; that stands.
      if (now !== undefined && now.host !== memory.host && now.isWished) return;
      writeMirrorMemory(memoryPath, memory);
    } catch (error) {
      log("warn", `Cannot write "${memoryPath}"`, { error: codeOf(error) ?? `${error}` });
    }
  }

  async function open(signal?: AbortSignal): Promise<Opened> {
    if (opened !== undefined) return opened;
    opening ??= openNow(signal).finally(() => opening = undefined);
    return await opening;
  }

  async function pullNow(options: PullOptions): Promise<PullReport> {
    const { puller } = await open(options.signal);
    // What is wrong with what goes there keeps nothing from coming here.
    await settle(options.signal).catch((error: Error) => log("warn", error.message));
    const at = clock.now();
    const report = await parts.alone("fetch what jobs wrote", () => puller.pull(options));
    pulledAt = at;
    const isNews = report.isWhole !== memory.isWhole;
    memory = { ...memory, isWhole: report.isWhole };
    remember(isNews);
    return report;
  }

  /** One at a time; whoever asks while one is under way gets the next one's outcome, with all others who ask. */
  function pull(options: PullOptions = {}): Promise<PullReport> {
    if (next !== undefined && options.untilWhole !== true) return next;
    const mine = pulling.then(() => {
      if (next === mine) next = undefined;
      return pullNow(options);
    });
    next = mine;
    pulling = mine.catch(() => {});
    return mine;
  }

  /** One push at a time, each with what was written before it was asked for. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const mine = pushing.then(() => parts.alone("bring files to the host", act));
    pushing = mine.catch(() => {});
    return mine;
  }

  /** The folder there may have been deleted, or taken over by another workspace, since. */
  async function ours(signal: AbortSignal | undefined): Promise<Opened> {
    const now = await open(signal);
    if (await assertClaimed(now.claim)) return now;
    log("warn", `"${now.paths.root}" on "${host.name}" was removed: it is made anew`);
    opened = undefined;
    return await open(signal);
  }

  async function pushNow(signal: AbortSignal | undefined): Promise<PushReport> {
    isOwed = false;
    try {
      const { pusher } = await ours(signal);
      const chosen = choose();
      const { files, folders } = waitingFiles(here.state);
      const all = [...chosen.files, ...files];
      const report = await pusher.push(all, { folders, ...(signal && { signal }) });
      for (const notice of chosen.notices) log("warn", notice);
      for (const { path, as } of report.kept) {
        log("warn", `"${path}" had been changed on "${host.name}": that is kept as "${as}"`);
      }
      return report;
    } catch (error) {
      isOwed = true;
      throw error;
    } finally {
      remember(true);
    }
  }

  async function tellNow(signal: AbortSignal | undefined): Promise<void> {
    isOwed = false;
    try {
      const { pusher } = await ours(signal);
      const { files, folders } = waitingFiles(here.state);
      const isOurs = (path: string) => path.startsWith(".hyperherd/");
      const report = await pusher.push(files, { folders, isOurs, ...(signal && { signal }) });
      if (report.files > 0) remember(true);
    } catch (error) {
      isOwed = true;
      throw error;
    }
  }

  async function settle(signal?: AbortSignal): Promise<void> {
    if (isOwed) await inTurn(() => tellNow(signal));
  }

  async function clear(what: Clearing, signal: AbortSignal | undefined): Promise<void> {
    if (memory.root === undefined) return;
    const { claim, paths } = await survey(signal);
    if (!await assertClaimed(claim)) return;
    await clearThere(host, { state: paths.state, what }, signal);
    if (what === "logs") return;
    // What was remembered goes as well, and is not written again.
    opened = undefined;
    surveyed = undefined;
  }

  const choose = () => chooseFiles(here.root, parts.wish());

  const told = <T>(act: Promise<T>) => mirrorFailure(host.name, act);

  return {
    host: host.name,
    there: () => opened ?? surveyed,
    survey: (signal) => told(survey(signal)),
    examine: (signal) => told(survey(signal).then((there) => examineThere(host, there, signal))),
    clear: (what, signal) => told(inTurn(() => clear(what, signal))),
    chosen: choose,
    pulledAt: () => pulledAt,
    isWhole: () => memory.isWhole,
    open: (signal) => told(open(signal)),
    pull: (options) => told(pull(options)),
    push: (signal) => told(inTurn(() => pushNow(signal))),
    tell: (signal) => told(inTurn(() => tellNow(signal))),
    settle: (signal) => told(settle(signal)),
    touched() {
      isOwed = true;
      if (opened === undefined || soon !== undefined) return;
      soon = setTimeout(() => {
        soon = undefined;
        settle().catch((error: unknown) =>
          log("info", "What was written for jobs goes later", { error: `${error}` })
        );
      }, SOON_MS);
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(soon);
      await pulling;
      await pushing;
      remember(true);
    },
  };
}

/** A folder below the home folder where it is not absolute. */
function rootOf(folder: string, home: string): string {
  const below = folder.replace(/^~\//, "");
  return below.startsWith("/") ? below : join(home, below);
}

function stampText(at: number): string {
  return new Date(at).toISOString().replaceAll(/[:.]/g, "-");
}
