/** Families of sockets that a program may open. */
export type Sockets = "all" | "not-unix" | "none";

/** One instruction of the kernel's filter: code, jump if true, jump if false, operand. */
export type Instruction = readonly [code: number, yes: number, no: number, operand: number];

export interface FilterWish {
  sockets: Sockets;
  /** Whether all that changes a file by its path, and shared memory, is kept from it: Landlock leaves these open. */
  files: boolean;
}

/** Numbers of the system calls on one kind of processor, and how the kernel names that kind. */
interface Machine {
  arch: number;
  /** Calls of a second numbering begin here. */
  foreign: number | undefined;
  socket: number;
  keys: readonly number[];
  modes: readonly number[];
  times: readonly number[];
  utimensat: number;
  attributes: readonly number[];
  shared: readonly number[];
  prlimit: number;
}

const IO_URING_SETUP = 425;
const FCHMODAT2 = 452;
const SETXATTRAT = 463;
const REMOVEXATTRAT = 466;

const MACHINES: Readonly<Record<string, Machine>> = {
  x64: {
    arch: 0xc000003e,
    foreign: 0x40000000,
    socket: 41,
    keys: [248, 249, 250],
    modes: [90, 268, FCHMODAT2, 92, 94, 260],
    times: [132, 235, 261],
    utimensat: 280,
    attributes: [188, 189, 197, 198, SETXATTRAT, REMOVEXATTRAT],
    shared: [29, 30, 31, 64, 65, 66, 68, 69, 70, 71, 220, 240, 241],
    prlimit: 302,
  },
  arm64: {
    arch: 0xc00000b7,
    foreign: undefined,
    socket: 198,
    keys: [217, 218, 219],
    modes: [53, FCHMODAT2, 54],
    times: [],
    utimensat: 88,
    attributes: [5, 6, 14, 15, SETXATTRAT, REMOVEXATTRAT],
    shared: [180, 181, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195, 196],
    prlimit: 261,
  },
};

const LOAD = 0x20;
const EQUAL = 0x15;
const AT_LEAST = 0x35;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const EPERM = 1;
const EACCES = 13;
const ENOTSUP = 95;
const AF_UNIX = 1;

const fail = (error: number): Instruction => [RETURN, 0, 0, 0x00050000 | error];
const allow: Instruction = [RETURN, 0, 0, ALLOW];
/** The low half of a call's argument; the high half follows. Both supported kinds are little-endian. */
const argument = (index: number, high = false): Instruction => [
  LOAD,
  0,
  0,
  16 + 8 * index + (high ? 4 : 0),
];

/**
 * A seccomp filter for what namespaces and Landlock leave open; undefined on a processor that it
 * does not know. io_uring is refused, for it opens sockets behind a filter's back, and the
 * kernel's keyrings, for they hold Kerberos tickets of the account.
 */
export function seccompFilter(wish: FilterWish, cpu: string): Instruction[] | undefined {
  const machine = MACHINES[cpu];
  if (machine === undefined) return undefined;
  const program: Instruction[] = [
    [LOAD, 0, 0, 4],
    [EQUAL, 1, 0, machine.arch],
    fail(EPERM),
    [LOAD, 0, 0, 0],
  ];
  if (machine.foreign !== undefined) {
    program.push([AT_LEAST, 0, 1, machine.foreign], fail(EPERM));
  }
  const on = (call: number, ...then: Instruction[]) => {
    program.push([EQUAL, 0, then.length, call], ...then);
  };
  for (const call of [IO_URING_SETUP, ...machine.keys]) on(call, fail(EPERM));
  if (wish.sockets === "none") on(machine.socket, fail(EACCES));
  if (wish.sockets === "not-unix") {
    on(machine.socket, argument(0), [EQUAL, 0, 1, AF_UNIX], fail(EACCES), allow);
  }
  if (wish.files) fileRules(machine, on);
  program.push(allow);
  return program;
}

/**
 * Modes, owners and times of a path: reported as done without being done, for git, tar and cp
 * would give up on a refusal. What is open already can be changed.
 */
function fileRules(machine: Machine, on: (call: number, ...then: Instruction[]) => void): void {
  const nothing = fail(0);
  for (const call of [...machine.modes, ...machine.times]) on(call, nothing);
  // Without a path it speaks of an open file.
  on(
    machine.utimensat,
    argument(1),
    [EQUAL, 0, 2, 0],
    argument(1, true),
    [EQUAL, 1, 0, 0],
    nothing,
    allow,
  );
  for (const call of machine.attributes) on(call, fail(ENOTSUP));
  for (const call of machine.shared) on(call, fail(EPERM));
  // Limits of another process of the account.
  on(machine.prlimit, argument(0), [EQUAL, 1, 0, 0], fail(EPERM), allow);
}
