import { createHash, randomBytes } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { RefusedError, UserError } from "../base/errors.ts";
import { codeOf, readIfThere, replaceFile } from "../base/files.ts";
import { LONGEST_SOCKET_PATH } from "./unix-socket.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Where the daemon of a user on a host lives; paths only. */
export interface UserPlace {
  uid: number;
  host: string;
  /** 0700, ours alone. */
  folder: string;
  /** Who runs, as `DaemonRecord`. */
  record: string;
  token: string;
  log: string;
  /** Where the socket may be, best first: folder and path. */
  sockets: readonly SocketPlace[];
  /** The same for the socket of agents' tools, which has a folder of its own: agents can see into it. */
  toolSockets: readonly SocketPlace[];
}

interface SocketPlace {
  path: string;
  /** From the outermost: folders that must be ours alone; they are made where they are missing. */
  folders: readonly string[];
  /** A folder that somebody else makes and that must be ours alone already. */
  within?: string;
}

/** Throws UserError where the environment names no home. */
export function userPlace(env: Env, uid: number, hostname: string): UserPlace {
  const told = env["XDG_STATE_HOME"];
  const home = env["HOME"];
  const state = told?.startsWith("/")
    ? told
    : home?.startsWith("/")
    ? join(home, ".local/state")
    : "";
  if (state === "") {
    throw new UserError('Cannot tell where the daemon lives: "HOME" is not set', {
      hint: "Set HOME or XDG_STATE_HOME to an absolute path",
    });
  }
  // A home is often one for all login nodes, a daemon and its socket are of one.
  const host = hostname.replaceAll(/[^A-Za-z0-9._-]/g, "_").replace(/^\.+/, "_") || "localhost";
  const folder = join(state, "herd", host);
  return {
    uid,
    host,
    folder,
    record: join(folder, "daemon.json"),
    token: join(folder, "token"),
    log: join(folder, "daemon.log"),
    sockets: socketsOf(env, uid, folder, ""),
    toolSockets: socketsOf(env, uid, folder, "tools"),
  };
}

/** `within`: a further folder below those, for the socket alone. */
function socketsOf(env: Env, uid: number, folder: string, within: string): SocketPlace[] {
  // Two states of one user, as tests have them, share the folder for sockets.
  const hash = createHash("sha256").update(folder).digest("hex").slice(0, 12);
  const runtime = env["XDG_RUNTIME_DIR"];
  const places: SocketPlace[] = [];
  if (runtime?.startsWith("/")) {
    const own = join(runtime, "herd");
    const alone = within === "" ? own : join(own, `${hash}-${within}`);
    const folders = alone === own ? [own] : [own, alone];
    places.push({ path: join(alone, `${hash}.sock`), folders, within: runtime });
  }
  const temporary = `/tmp/herd-${uid}`;
  const inner = join(temporary, hash);
  const below = (parent: string) => within === "" ? [parent] : [parent, join(parent, within)];
  for (const folders of [[temporary, ...below(inner)], below(folder)]) {
    places.push({ path: join(folders.at(-1)!, "control.sock"), folders });
  }
  return places.filter(({ path }) => Buffer.byteLength(path) <= LONGEST_SOCKET_PATH);
}

/**
 * Makes the folders of a daemon that starts and a new token, and chooses where its
 * socket goes. Throws RefusedError where the state is another user's, or where no
 * folder for the socket is ours alone.
 */
export function prepare(place: UserPlace): { socketPath: string; token: string } {
  mkdirSync(dirname(place.folder), { recursive: true, mode: 0o700 });
  const wrong = makeOwn(place.folder, place.uid);
  if (wrong !== undefined) {
    throw new RefusedError(`Cannot keep the daemon's state in "${place.folder}": ${wrong}`, {
      hint: "Move it aside, or set XDG_STATE_HOME to a folder of yours",
      facts: { path: place.folder },
    });
  }
  const socketPath = chooseSocket(place.sockets, place.uid);
  // A new one at each start: whoever has seen an old one has nothing.
  const token = randomBytes(32).toString("base64url");
  replaceFile(place.token, `${token}\n`, 0o600);
  return { socketPath, token };
}

/** The socket of agents' tools; throws RefusedError as `prepare` does. */
export function prepareTools({ toolSockets, uid }: Pick<UserPlace, "toolSockets" | "uid">): string {
  return chooseSocket(toolSockets, uid);
}

function chooseSocket(sockets: readonly SocketPlace[], uid: number): string {
  const refused: string[] = [];
  for (const { path, folders, within } of sockets) {
    const outside = within === undefined ? undefined : faultOf(within, uid);
    const wrong = outside === undefined ? undefined : `"${within}": ${outside}`;
    const fault = wrong ?? firstFault(folders, uid);
    if (fault === undefined) return path;
    refused.push(fault);
  }
  throw new RefusedError(
    `Cannot find a folder for the daemon's socket${refused.map((one) => `; ${one}`).join("")}`,
    { hint: "Set XDG_RUNTIME_DIR to a folder of yours with a short path and mode 0700" },
  );
}

function firstFault(folders: readonly string[], uid: number): string | undefined {
  for (const folder of folders) {
    const wrong = makeOwn(folder, uid);
    if (wrong !== undefined) return `"${folder}": ${wrong}`;
  }
  return undefined;
}

/** Makes a folder 0700, or closes one of ours that others may enter. Returns why it is not ours alone. */
function makeOwn(folder: string, uid: number): string | undefined {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") return `it cannot be made (${codeOf(error)})`;
  }
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (stats?.isDirectory() && stats.uid === uid && (stats.mode & 0o077) !== 0) {
    try {
      chmodSync(folder, 0o700);
    } catch (error) {
      return `it cannot be closed to others (${codeOf(error)})`;
    }
  }
  return faultOf(folder, uid);
}

/** Why a folder is not ours alone. Links are not followed: their target may change. */
function faultOf(folder: string, uid: number): string | undefined {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) return "it is not there";
  if (stats.isSymbolicLink()) return "it is a symbolic link";
  if (!stats.isDirectory()) return "it is no folder";
  if (stats.uid !== uid) return `it belongs to user ${stats.uid}`;
  if ((stats.mode & 0o077) !== 0) {
    return `others may enter it (mode ${(stats.mode & 0o777).toString(8)})`;
  }
  return undefined;
}

/** The token that the running daemon wrote; undefined when there is none that is ours alone. */
export function readToken(place: UserPlace): string | undefined {
  const stats = lstatSync(place.token, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile()) return undefined;
  if (stats.uid !== place.uid || (stats.mode & 0o077) !== 0) return undefined;
  return readIfThere(place.token)?.trim() || undefined;
}
