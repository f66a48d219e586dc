import type { IncomingMessage, ServerResponse } from "node:http";

/** Which way a request came in; handed to the app with each one by `startControl`. */
export interface Door {
  kind: "tcp" | "unix";
  /** Of the TCP server; 0 on the Unix socket. */
  port: number;
  /** Aborted when the server closes: streams end by themselves then. */
  closing: AbortSignal;
}

/** What a handler knows beside the request. */
export interface ControlEnv {
  Bindings: {
    /** Absent where the app is called without a server; then only `allowedHosts` are let in. */
    door?: Door;
    incoming?: IncomingMessage;
    outgoing?: ServerResponse;
  };
  Variables: {
    /** Who asks, as `Event.by` names actors. */
    by: string;
  };
}
