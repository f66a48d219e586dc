// What herd uses of ssh2. Its own are none, and `@types/ssh2` would bring the types of Node.js 18
// with it, which then stand in the place of Deno's own in the whole program.
import type { Duplex, Readable, Writable } from "node:stream";

type Fail = Error | undefined;

export interface ParsedKey {
  type: string;
  comment: string;
  /** An Error where it cannot be done. */
  sign(data: Uint8Array | string, algorithm?: string): Buffer;
  isPrivateKey(): boolean;
  getPrivatePEM(): string;
  getPublicSSH(): Buffer;
}

export interface BaseAgent {
  getIdentities(done: (error: Fail, keys?: ParsedKey[]) => void): void;
  sign(
    key: ParsedKey,
    data: Buffer,
    options: { hash?: string },
    done: (error: Fail, signature?: Buffer) => void,
  ): void;
}

export type Prompt = { prompt: string; echo?: boolean };

export interface KeyboardInteractiveAuthMethod {
  type: "keyboard-interactive";
  username: string;
  prompt(
    name: string,
    instructions: string,
    language: string,
    prompts: Prompt[],
    finish: (answers: string[]) => void,
  ): void;
}

export type AnyAuthMethod =
  | { type: "none"; username: string }
  | { type: "password"; username: string; password: string }
  | { type: "agent"; username: string; agent: BaseAgent }
  | KeyboardInteractiveAuthMethod;

export type AuthHandlerMiddleware = (
  left: string[] | null,
  partial: boolean | null,
  /** `false` when there is nothing more to try. */
  next: (method: AnyAuthMethod | false) => void,
) => void;

export interface ConnectConfig {
  sock: Duplex;
  username: string;
  authHandler: AuthHandlerMiddleware;
  readyTimeout: number;
  keepaliveInterval: number;
  keepaliveCountMax: number;
  strictVendor: boolean;
  algorithms?: { serverHostKey: string[] };
  hostVerifier(key: Buffer, verify: (valid: boolean) => void): void;
}

export interface Channel extends Duplex {
  stderr: Readable;
  setWindow(rows: number, columns: number, height: number, width: number): void;
  signal(name: string): void;
  close(): void;
}

export type ClientChannel = Channel;

export interface Client {
  connect(config: ConnectConfig): void;
  on(event: "ready" | "close", listener: () => void): this;
  on(event: "error", listener: (error: Error & { level?: string }) => void): this;
  exec(
    line: string,
    options: { pty?: { cols: number; rows: number; term: string } },
    done: (error: Fail, channel: ClientChannel) => void,
  ): void;
  sftp(done: (error: Fail, sftp: SFTPWrapper) => void): void;
  forwardOut(
    fromHost: string,
    fromPort: number,
    host: string,
    port: number,
    done: (error: Fail, channel: ClientChannel) => void,
  ): void;
  openssh_forwardOutStreamLocal(
    path: string,
    done: (error: Fail, channel: ClientChannel) => void,
  ): void;
  end(): void;
  destroy(): void;
}

export interface Stats {
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

type Done = (error: Fail) => void;
type DoneWith<T> = (error: Fail, value: T) => void;

export interface SFTPWrapper {
  on(event: "close" | "error", listener: () => void): this;
  end(): void;
  open(path: string, flags: string, mode: number, done: DoneWith<Buffer>): void;
  close(handle: Buffer, done: Done): void;
  read(
    handle: Buffer,
    bytes: Buffer,
    offset: number,
    length: number,
    position: number,
    done: DoneWith<number>,
  ): void;
  write(
    handle: Buffer,
    bytes: Buffer,
    offset: number,
    length: number,
    position: number,
    done: Done,
  ): void;
  fsetstat(handle: Buffer, attributes: { size?: number }, done: Done): void;
  stat(path: string, done: DoneWith<Stats>): void;
  lstat(path: string, done: DoneWith<Stats>): void;
  readdir(path: string, done: DoneWith<{ filename: string; attrs: Stats }[]>): void;
  realpath(path: string, done: DoneWith<string>): void;
  readlink(path: string, done: DoneWith<string>): void;
  symlink(target: string, path: string, done: Done): void;
  rename(from: string, to: string, done: Done): void;
  mkdir(path: string, attributes: { mode: number }, done: Done): void;
  chmod(path: string, mode: number, done: Done): void;
  unlink(path: string, done: Done): void;
  rmdir(path: string, done: Done): void;
  ext_openssh_rename(from: string, to: string, done: Done): void;
  ext_openssh_fsync(handle: Buffer, done: Done): void;
}

/** For tests: a login as a server sees it. */
export interface AuthContext {
  method: string;
  key: { data: Buffer };
  signature: Buffer | undefined;
  password: string;
  prompt(prompts: Prompt[], done: (answers: string[]) => void): void;
  accept(): void;
  reject(left?: string[], partial?: boolean): void;
}

export interface ServerSession {
  on(
    event: "exec",
    listener: (
      accept: () => Duplex & { stderr: Writable; exit(code: number): void },
      reject: () => void,
      info: { command: string },
    ) => void,
  ): void;
}

export interface Connection {
  on(event: "error" | "close", listener: () => void): this;
  on(event: "authentication", listener: (context: AuthContext) => void): this;
  on(event: "session", listener: (accept: () => ServerSession) => void): this;
  end(): void;
}

export interface Server {
  listen(port: number, host: string, done: () => void): void;
  close(done: () => void): void;
  address(): unknown;
}

declare const ssh2: {
  Client: new () => Client;
  Server: new (
    config: { hostKeys: Buffer[] },
    listener: (client: Connection) => void,
  ) => Server;
  BaseAgent: { prototype: BaseAgent };
  createAgent(socket: string): BaseAgent;
  utils: {
    /** A key file may hold several. */
    parseKey(data: Uint8Array | string | ParsedKey, passphrase?: string): ParsedKey | Error;
  };
};
// deno-lint-ignore layers/named-exports -- it is what the package exports
export default ssh2;
