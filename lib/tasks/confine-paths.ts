import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, normalize } from "node:path";

/** A path as a program inside is to see it, and what lies there. */
export interface Shown {
  /** As it is named inside. */
  path: string;
  /** Without symbolic links. */
  real: string;
}

export interface ConfinePaths {
  folder: Shown;
  reads: Shown[];
  writes: Shown[];
}

/** The system's programs and what they are made of. */
const PROGRAMS = ["/usr", "/opt", "/nix/store"];
/** Links into /usr today, folders on older systems. */
const LINKED = /^(bin|sbin|lib\w*)$/;

/**
 * What programs need of /etc. A list of what is shown, for nobody knows all that a site keeps
 * there: keys of hosts, of munge and of Kerberos, mounted shares with their passwords.
 */
const SETTINGS = (
  "alternatives bash.bashrc bash_completion.d bashrc ca-certificates ca-certificates.conf " +
  "crypto-policies csh.cshrc debian_version environment fonts gai.conf gitattributes " +
  "gitconfig group host.conf hostname hosts inputrc java ld.so.cache ld.so.conf " +
  "ld.so.conf.d locale.alias locale.conf localtime login.defs lsb-release magic mime.types " +
  "modulefiles npmrc nsswitch.conf openldap/certs os-release passwd perl pip.conf pki/ca- " +
  "trust pki/java pki/tls/cert.pem pki/tls/certs pki/tls/openssl.cnf profile profile.d " +
  "protocols python python3 redhat-release resolv.conf rpc services shells skel " +
  "ssh/ssh_config ssh/ssh_config.d ssl/cert.pem ssl/certs ssl/openssl.cnf ssl/openssl.conf " +
  "system-release terminfo timezone vimrc wgetrc zshenv zshrc"
).split(" ").map((name) => `/etc/${name}`);

/** Folders and files outside the task's that every confined program may read. */
export function systemPaths(): string[] {
  return [...PROGRAMS, ...linkedFolders().map(({ path }) => path), ...SETTINGS].filter(exists);
}

/** `/bin` and its like: where it is a link, to where. */
export function linkedFolders(): { path: string; to: string | undefined }[] {
  return readdirSync("/").filter((name) => LINKED.test(name)).map((name) => {
    const path = `/${name}`;
    return { path, to: lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined };
  });
}

/** Checks the folder and what is wished beside it; the refusal is a sentence for people. */
export function confinePaths(parts: {
  folder: string;
  reads?: readonly string[];
  writes?: readonly string[];
}): ConfinePaths | { refused: string } {
  const folder = shown(parts.folder);
  if (folder === undefined || !statSync(folder.real).isDirectory()) {
    return {
      refused: `Cannot confine to "${parts.folder}": it is no folder with an absolute path`,
    };
  }
  const protectedPath = ["/usr", "/etc", "/proc", homedir()].find((path) =>
    isWithin(real(path) ?? path, folder.real)
  );
  if (protectedPath !== undefined) {
    return { refused: `Cannot confine to "${parts.folder}": "${protectedPath}" lies in it` };
  }
  const reads: Shown[] = [];
  const writes: Shown[] = [];
  for (const [list, wished] of [[reads, parts.reads], [writes, parts.writes]] as const) {
    for (const path of wished ?? []) {
      if (list === writes) makeInFolder(path, folder);
      const one = shown(path);
      if (one === undefined) {
        return { refused: `Cannot let the task reach "${path}": it is not there, or not absolute` };
      }
      if (one.real === "/") return { refused: `Cannot let the task reach "/": that is everything` };
      list.push(one);
    }
  }
  return { folder, reads, writes };
}

/** A file of the folder's own that is to be written, such as RESULT.txt, must be there to be shown. */
function makeInFolder(path: string, folder: Shown): void {
  if (!isAbsolute(path) || real(dirname(path)) !== folder.real) return;
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch {
    // It is there, or cannot be made: then it cannot be shown, and that is told.
  }
}

/** Whether `path` is `folder` or lies in it; both without links. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

function shown(path: string): Shown | undefined {
  if (!isAbsolute(path) || path.includes("\0")) return undefined;
  const found = real(path);
  // A last slash would make another path of it for the tools.
  return found === undefined ? undefined : { path: join(normalize(path), "."), real: found };
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function exists(path: string): boolean {
  return real(path) !== undefined;
}
