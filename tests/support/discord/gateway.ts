import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

export const INTENTS = {
  GUILDS: 1 << 0,
  GUILD_MESSAGES: 1 << 9,
  GUILD_MESSAGE_REACTIONS: 1 << 10,
  DIRECT_MESSAGES: 1 << 12,
  MESSAGE_CONTENT: 1 << 15,
} as const;

interface Socket {
  send(text: string): void;
  close(code: number, reason?: string): void;
  terminate(): void;
  on(event: "message" | "close", listener: (data: unknown) => void): void;
}

interface Session {
  id: string;
  /** The bot's user id. */
  user: string;
  intents: number;
  seq: number;
  /** Every event of the session, for a resume. */
  events: { seq: number; text: string }[];
  socket: Socket | undefined;
}

export interface GatewayFaults {
  /** New connections are reset. */
  refuse: boolean;
  /** A resume is answered with INVALID_SESSION. */
  refuseResume: boolean;
  /** Heartbeats get no ACK. */
  mute: boolean;
  /** What becomes of an event: how often it is told, and whether it waits behind the next one. */
  fate(name: string, user: string): "once" | "twice" | "lost" | "late";
}

export interface FakeGateway extends AsyncDisposable {
  url: string;
  faults: GatewayFaults;
  /** Connections and identifies so far. */
  counts: { connections: number; identified: number; resumed: number; heartbeats: number };
  /** Of one bot, or of anybody. */
  isConnected(user?: string): boolean;
  /** `data` may depend on what the session may see; undefined: nothing is told. */
  dispatch(name: string, data: (intents: number, user: string) => unknown): void;
  /** Ends every connection, or one bot's: without a word, or with a close code. */
  cut(code?: number, user?: string): void;
  /** A session in this process, without a socket. Undefined: the token is not good. */
  attach(
    token: string,
    intents: number,
    hear: (name: string, data: unknown) => void,
  ): LocalSession | undefined;
  /** Nothing moves until what is given back is called: no event, no acknowledgement, no hello. */
  freeze(): () => void;
  /** Asks to connect anew (op 7). */
  askToReconnect(): void;
}

export interface LocalSession {
  /** The connection is gone; what happens meanwhile is told on `resume`. */
  drop(): void;
  resume(): void;
  /** For good. */
  end(): void;
}

export interface GatewayParts {
  /** The user id of the bot whose token it is; undefined: it is not good now. */
  userOf(token: string): string | undefined;
  /** Intents that the portal allows this bot. */
  allowed(user: string): number;
  ready(
    user: string,
  ): { user: object; application: object; guilds: object[]; later: [string, object][] };
  heartbeatMs: number;
  /** Without a port. */
  isLocal?: boolean;
}

/** Hello, identify, heartbeats, resume with replay, as Discord documents them. */
export async function startGateway(parts: GatewayParts): Promise<FakeGateway> {
  const sessions = new Map<string, Session>();
  const counts = { connections: 0, identified: 0, resumed: 0, heartbeats: 0 };
  const late: (() => void)[] = [];
  const faults: GatewayFaults = {
    refuse: false,
    refuseResume: false,
    mute: false,
    fate: () => "once",
  };
  const http = createServer();
  const server = new WebSocketServer({ noServer: true });
  http.on("upgrade", (request, socket, head) => {
    if (faults.refuse) {
      socket.destroy();
      return;
    }
    server.handleUpgrade(request, socket, head, (one: Socket) => {
      counts.connections++;
      accept(one);
    });
  });
  if (parts.isLocal !== true) {
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  }
  const address = http.address() as AddressInfo | null;
  const url = `ws://127.0.0.1:${address?.port ?? 1}`;
  /** What waits behind a freeze. */
  let frozen: (() => void)[] | undefined;
  const whenever = (act: () => void) => frozen === undefined ? act() : void frozen.push(act);

  function accept(socket: Socket): void {
    let session: Session | undefined;
    whenever(() => socket.send(packet(10, { heartbeat_interval: parts.heartbeatMs })));
    socket.on("message", (data) => whenever(() => heard(`${data}`)));
    function heard(text: string) {
      const { op, d } = JSON.parse(text);
      if (op === 1) counts.heartbeats++;
      if (op === 1 && !faults.mute) socket.send(packet(11, null));
      if (op === 2) session = identify(socket, d);
      if (op === 6) session = resume(socket, d);
    }
    socket.on("close", () => {
      if (session?.socket === socket) session.socket = undefined;
    });
  }

  function identify(
    socket: Socket,
    { token, intents }: { token: string; intents: number },
  ): Session | undefined {
    const owner = parts.userOf(token.replace(/^Bot /, ""));
    if (owner === undefined) {
      socket.close(4004, "Authentication failed.");
      return undefined;
    }
    if ((intents & INTENTS.MESSAGE_CONTENT & ~parts.allowed(owner)) !== 0) {
      socket.close(4014, "Disallowed intent(s).");
      return undefined;
    }
    counts.identified++;
    const session: Session = {
      id: `s${counts.identified}`,
      user: owner,
      intents,
      seq: 0,
      events: [],
      socket,
    };
    sessions.set(session.id, session);
    const { user, application, guilds, later } = parts.ready(owner);
    tell(session, "READY", {
      v: 10,
      user,
      application,
      guilds,
      session_id: session.id,
      resume_gateway_url: url,
      session_type: "normal",
    });
    for (const [name, data] of later) tell(session, name, data);
    return session;
  }

  function resume(
    socket: Socket,
    { token, session_id, seq }: { token: string; session_id: string; seq: number },
  ): Session | undefined {
    const session = sessions.get(session_id);
    const owner = parts.userOf(token.replace(/^Bot /, ""));
    if (owner === undefined) {
      socket.close(4004, "Authentication failed.");
      return undefined;
    }
    if (session === undefined || session.user !== owner || faults.refuseResume) {
      socket.send(packet(9, false));
      return undefined;
    }
    session.socket = socket;
    for (const one of session.events) if (one.seq > seq) socket.send(one.text);
    counts.resumed++;
    tell(session, "RESUMED", {});
    return session;
  }

  function tell(session: Session, name: string, data: unknown): void {
    const seq = ++session.seq;
    const text = JSON.stringify({ op: 0, t: name, s: seq, d: data });
    session.events.push({ seq, text });
    if (session.events.length > 5_000) session.events.shift();
    const fate = name === "READY" || name === "RESUMED" ? "once" : faults.fate(name, session.user);
    if (fate === "lost") return;
    const send = () => whenever(() => session.socket?.send(text));
    if (fate === "late") return void late.push(send);
    send();
    if (fate === "twice") send();
    for (const one of late.splice(0)) one();
  }

  /** The newest three of each bot. */
  function recent(): Session[] {
    const count = new Map<string, number>();
    return [...sessions.values()].reverse().filter(({ user }) => {
      count.set(user, (count.get(user) ?? 0) + 1);
      return count.get(user)! <= 3;
    }).reverse();
  }

  return {
    url,
    faults,
    counts,
    isConnected: (user) =>
      [...sessions.values()].some((one) =>
        one.socket !== undefined && (user === undefined || one.user === user)
      ),
    dispatch(name, data) {
      // A session that went without resuming is over after a while.
      for (const session of recent()) {
        const what = data(session.intents, session.user);
        if (what !== undefined) tell(session, name, what);
      }
    },
    attach(token, intents, hear) {
      const deliver = (text: string) => {
        const { t, d } = JSON.parse(text);
        if (t !== undefined && t !== null) hear(t, d);
      };
      let refused = false;
      const socket: Socket = {
        send: deliver,
        close: () => refused = true,
        terminate() {},
        on() {},
      };
      const session = identify(socket, { token, intents });
      if (session === undefined || refused) return undefined;
      let last = 0;
      return {
        drop() {
          last = session.seq;
          session.socket = undefined;
        },
        resume() {
          session.socket = socket;
          for (const one of session.events) if (one.seq > last) socket.send(one.text);
          counts.resumed++;
          tell(session, "RESUMED", {});
        },
        end: () => void sessions.delete(session.id),
      };
    },
    freeze() {
      frozen ??= [];
      return () => {
        const waiting = frozen ?? [];
        frozen = undefined;
        for (const act of waiting) act();
      };
    },
    cut(code, user) {
      for (const { socket, user: owner } of sessions.values()) {
        if (user !== undefined && owner !== user) continue;
        if (code === undefined) socket?.terminate();
        else socket?.close(code);
      }
    },
    askToReconnect() {
      for (const { socket } of sessions.values()) socket?.send(packet(7, null));
    },
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) (client as Socket).terminate();
      server.close();
      http.closeAllConnections();
      if (address !== null) await new Promise((resolve) => http.close(resolve));
    },
  };
}

function packet(op: number, d: unknown): string {
  return JSON.stringify({ op, d, s: null, t: null });
}
