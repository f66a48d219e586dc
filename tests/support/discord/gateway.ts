import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

export const INTENTS = {
  GUILDS: 1 << 0,
  GUILD_MESSAGES: 1 << 9,
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
  fate(name: string): "once" | "twice" | "lost" | "late";
}

export interface FakeGateway extends AsyncDisposable {
  url: string;
  faults: GatewayFaults;
  /** Connections and identifies so far. */
  counts: { connections: number; identified: number; resumed: number };
  isConnected(): boolean;
  /** `data` may depend on what the session may see; undefined: nothing is told. */
  dispatch(name: string, data: (intents: number) => unknown): void;
  /** Ends every connection: without a word, or with a close code. */
  cut(code?: number): void;
  /** Asks to connect anew (op 7). */
  askToReconnect(): void;
}

export interface GatewayParts {
  /** Whether this token is good now. */
  isToken(token: string): boolean;
  /** Intents that the portal allows. */
  allowed(): number;
  ready(): { user: object; application: object; guilds: object[]; later: [string, object][] };
  heartbeatMs: number;
}

/** Hello, identify, heartbeats, resume with replay, as Discord documents them. */
export async function startGateway(parts: GatewayParts): Promise<FakeGateway> {
  const sessions = new Map<string, Session>();
  const counts = { connections: 0, identified: 0, resumed: 0 };
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
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;

  function accept(socket: Socket): void {
    let session: Session | undefined;
    socket.send(packet(10, { heartbeat_interval: parts.heartbeatMs }));
    socket.on("message", (data) => {
      const { op, d } = JSON.parse(`${data}`);
      if (op === 1 && !faults.mute) socket.send(packet(11, null));
      if (op === 2) session = identify(socket, d);
      if (op === 6) session = resume(socket, d);
    });
    socket.on("close", () => {
      if (session?.socket === socket) session.socket = undefined;
    });
  }

  function identify(
    socket: Socket,
    { token, intents }: { token: string; intents: number },
  ): Session | undefined {
    if (!parts.isToken(token.replace(/^Bot /, ""))) {
      socket.close(4004, "Authentication failed.");
      return undefined;
    }
    if ((intents & INTENTS.MESSAGE_CONTENT & ~parts.allowed()) !== 0) {
      socket.close(4014, "Disallowed intent(s).");
      return undefined;
    }
    counts.identified++;
    const session: Session = {
      id: `s${counts.identified}`,
      intents,
      seq: 0,
      events: [],
      socket,
    };
    sessions.set(session.id, session);
    const { user, application, guilds, later } = parts.ready();
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
    if (!parts.isToken(token.replace(/^Bot /, ""))) {
      socket.close(4004, "Authentication failed.");
      return undefined;
    }
    if (session === undefined || faults.refuseResume) {
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
    const fate = name === "READY" || name === "RESUMED" ? "once" : faults.fate(name);
    if (fate === "lost") return;
    const send = () => session.socket?.send(text);
    if (fate === "late") return void late.push(send);
    send();
    if (fate === "twice") send();
    for (const one of late.splice(0)) one();
  }

  return {
    url,
    faults,
    counts,
    isConnected: () => [...sessions.values()].some(({ socket }) => socket !== undefined),
    dispatch(name, data) {
      // A session that went without resuming is over after a while.
      for (const session of [...sessions.values()].slice(-3)) {
        const what = data(session.intents);
        if (what !== undefined) tell(session, name, what);
      }
    },
    cut(code) {
      for (const { socket } of sessions.values()) {
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
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function packet(op: number, d: unknown): string {
  return JSON.stringify({ op, d, s: null, t: null });
}
