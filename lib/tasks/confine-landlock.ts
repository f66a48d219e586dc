import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ConfinePaths, systemPaths } from "./confine-paths.ts";
import { type Instruction, seccompFilter } from "./confine-seccomp.ts";
import type { Sandbox } from "./sandbox.ts";

/** What the script is told, as JSON. */
export interface LandlockPlan {
  /** Paths with `r` (read, run), `w` (everything) or `d` (a device: read and write); null leaves files alone. */
  files: readonly (readonly [path: string, right: "r" | "w" | "d"])[] | null;
  /** Whether opening TCP connections is refused a second time. */
  noTcp: boolean;
  filter: readonly Instruction[];
  /** Made when missing, and named in TMPDIR; null leaves the variable alone. */
  tmp: string | null;
}

/** Signals and abstract sockets can be kept in from this version on (Linux 6.12). */
export const LANDLOCK_WANTED = 6;

const DEVICES = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/**
 * Gives up rights for ever and then becomes the program. Handed to `python3 -I -c`; the plan and
 * the program's words are arguments, so nothing of a task is read as code.
 */
const SCRIPT = `
import ctypes, errno, json, os, struct, sys

def main():
    plan, argv = json.loads(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long

    def number(x):
        return ctypes.c_long(x) if isinstance(x, int) else x

    def call(what, nr, *args):
        done = libc.syscall(ctypes.c_long(nr), *[number(a) for a in args])
        if done < 0:
            raise OSError(ctypes.get_errno(), what + ": " + os.strerror(ctypes.get_errno()))
        return done

    def prctl(*args):
        return libc.prctl(*[number(a) for a in (list(args) + [0] * 5)[:5]])

    abi = libc.syscall(ctypes.c_long(444), None, ctypes.c_long(0), ctypes.c_long(1))
    if abi < ${LANDLOCK_WANTED}:
        raise OSError(errno.ENOSYS, "Landlock of this kernel is version %d" % abi)

    # Of an ordinary account there is nothing to give up; a failure then means nothing.
    for cap in range(64):
        prctl(24, cap)
    prctl(47, 4)
    header = ctypes.create_string_buffer(struct.pack("=II", 0x20080522, 0))
    nothing = ctypes.create_string_buffer(24)
    if libc.capset(header, nothing) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    if prctl(38, 1) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")

    files = plan["files"]
    every = (1 << 16) - 1 if files is not None else 0
    tcp = 3 if plan["noTcp"] else 0
    rules = ctypes.create_string_buffer(struct.pack("=QQQ", every, tcp, 3), 24)
    ruleset = call("landlock_create_ruleset", 444, rules, 24, 0)
    if plan["tmp"] is not None:
        try:
            os.mkdir(plan["tmp"], 0o700)
        except FileExistsError:
            pass
        for name in ("TMPDIR", "TMP", "TEMP"):
            os.environ[name] = plan["tmp"]
    read, one_file = 0b1101, 0b1100000000000111
    rights = {"r": read, "w": every & ~(1 << 6 | 1 << 11), "d": 1 << 1 | 1 << 2 | 1 << 15}
    for path, right in files or []:
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        allowed = rights[right]
        if not os.path.isdir("/proc/self/fd/%d" % fd):
            allowed &= one_file
        rule = ctypes.create_string_buffer(struct.pack("=Qi", allowed, fd), 12)
        call("landlock_add_rule", 445, ruleset, 1, rule, 0)
        os.close(fd)
    call("landlock_restrict_self", 446, ruleset, 0)
    os.close(ruleset)

    program = b"".join(struct.pack("=HBBI", *one) for one in plan["filter"])
    held = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(plan["filter"]), ctypes.addressof(held)))
    if prctl(22, 2, header) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    os.execvp(argv[0], argv)

try:
    main()
except Exception as why:
    sys.stderr.write("herd: cannot confine: %s\\n" % why)
    sys.exit(126)
`;

/** The words that run `argv` under the plan. */
export function underPlan(python: string, plan: LandlockPlan, argv: readonly string[]): string[] {
  return [python, "-I", "-c", SCRIPT, JSON.stringify(plan), ...argv];
}

/** Landlock alone; undefined on a processor whose system calls are not known here. */
export function landlockPlan(
  sandbox: Sandbox,
  paths: ConfinePaths,
  cpu: string = process.arch,
): LandlockPlan | undefined {
  const filter = seccompFilter(
    { sockets: sandbox.network ? "not-unix" : "none", files: true },
    cpu,
  );
  if (filter === undefined) return undefined;
  const writable = sandbox.level === "workspace";
  const files: [string, "r" | "w" | "d"][] = [
    ...[...systemPaths(), "/proc"].map((path) => [path, "r"] as [string, "r"]),
    ...DEVICES.filter((path) => existsSync(path)).map((path) => [path, "d"] as [string, "d"]),
    ...paths.reads.map(({ real }) => [real, "r"] as [string, "r"]),
    [paths.folder.real, writable ? "w" : "r"],
    ...paths.writes.map(({ real }) => [real, "w"] as [string, "w"]),
  ];
  return {
    files,
    noTcp: !sandbox.network,
    filter,
    tmp: writable ? join(paths.folder.real, ".tmp") : null,
  };
}

/** What bubblewrap leaves open: sockets without a path, where connections are allowed, and keyrings. */
export function innerPlan(cpu: string = process.arch): LandlockPlan | undefined {
  const filter = seccompFilter({ sockets: "all", files: false }, cpu);
  return filter === undefined ? undefined : { files: null, noTcp: false, filter, tmp: null };
}
