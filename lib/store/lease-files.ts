import {
  closeSync,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { codeOf } from "../base/files.ts";

/** One look at a lease file. */
export interface Seen {
  number: number;
  text: string;
  mtimeMs: number;
}

/** The numbered files of a lease, as plain facts; what they mean is in lease.ts. */
export interface LeaseFiles {
  readonly dir: string;
  /** 0 when there is none. */
  highest(): number;
  newest(): Seen | undefined;
  /** Undefined when there is no such number (any more). */
  read(number: number): string | undefined;
  /** False when the number is taken. `nonce` is in `text`, to know our own file again. */
  create(number: number, text: string, nonce: string): boolean;
  replace(number: number, text: string, nonce: string): void;
  /** Needs no space on the disk, unlike `replace`. */
  empty(number: number): void;
  remove(number: number): void;
  /** Also sweeps away what crashed takers left. */
  removeBelow(number: number): void;
}

/** Where hard links do not exist; the O_EXCL create is as exclusive, but can be seen empty for a moment. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV"]);
const HOUR_MS = 3_600_000;

export function createLeaseFiles(dir: string): LeaseFiles {
  mkdirOnce(dir);
  const path = (number: number) => join(dir, `lease.${number}`);

  function numbers(): number[] {
    return readdirSync(dir).flatMap((name) => {
      const match = /^lease\.(\d{1,15})$/.exec(name);
      return match === null ? [] : [Number(match[1])];
    });
  }

  function highest(): number {
    return numbers().reduce((high, number) => Math.max(high, number), 0);
  }

  function seen(number: number): Seen | undefined {
    return ifThere(() => {
      // Opening makes an NFS client ask the server whether the file changed; stat alone need not.
      const file = openSync(path(number), "r");
      try {
        return { number, text: readFileSync(file, "utf8"), mtimeMs: fstatSync(file).mtimeMs };
      } finally {
        closeSync(file);
      }
    });
  }

  function create(number: number, text: string, nonce: string): boolean {
    const temporary = join(dir, `take.${nonce}.tmp`);
    try {
      writeFileSync(temporary, text, { flag: "wx", mode: 0o600 });
      linkSync(temporary, path(number));
      return true;
    } catch (error) {
      // NFS repeats a request whose answer was lost: then the name exists because we made it.
      if (codeOf(error) === "EEXIST") return seen(number)?.text === text;
      if (!NO_LINKS.has(codeOf(error) ?? "")) throw error;
      return createPlainly(path(number), text);
    } finally {
      ifThere(() => unlinkSync(temporary));
    }
  }

  return {
    dir,
    highest,
    newest() {
      // A number may vanish between the listing and the reading: then there is a higher one.
      for (let tries = 0; tries < 1000; tries++) {
        const number = highest();
        if (number === 0) return undefined;
        const found = seen(number);
        if (found !== undefined) return found;
      }
      throw new Error(`Cannot read the newest lease in "${dir}": it vanishes while it is listed`);
    },
    read: (number) => seen(number)?.text,
    create,
    replace(number, text, nonce) {
      const temporary = join(dir, `keep.${nonce}.tmp`);
      try {
        writeFileSync(temporary, text, { mode: 0o600 });
        renameSync(temporary, path(number));
      } catch (error) {
        ifThere(() => unlinkSync(temporary));
        throw error;
      }
    },
    empty(number) {
      ifThere(() => truncateSync(path(number)));
    },
    remove(number) {
      ifThere(() => unlinkSync(path(number)));
    },
    removeBelow(number) {
      for (const lower of numbers()) if (lower < number) ifThere(() => unlinkSync(path(lower)));
      // Both times are the file server's, so they may be compared.
      const now = ifThere(() => statSync(path(number)).mtimeMs) ?? 0;
      for (const name of readdirSync(dir)) {
        if (!/^(take|keep)\..*\.tmp$/.test(name)) continue;
        const old = join(dir, name);
        ifThere(() => {
          if (now - statSync(old).mtimeMs > HOUR_MS) unlinkSync(old);
        });
      }
    },
  };
}

function mkdirOnce(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

function createPlainly(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Undefined when somebody else removed it first. */
function ifThere<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ESTALE") return undefined;
    throw error;
  }
}
