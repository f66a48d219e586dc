import { connect, type Socket } from "node:net";
import { codeOf } from "../base/files.ts";
import type { ResolvedHost } from "./resolve-host.ts";
import { SshError } from "./ssh-error.ts";

/** A connection to the host's ssh port; rejects with SshError, or with the signal's reason. */
export function openSocket(host: ResolvedHost, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = connect({
      host: host.hostName,
      port: host.port,
      noDelay: true,
      ...(host.family === undefined ? {} : { family: host.family }),
    });
    const finish = () => {
      signal.removeEventListener("abort", stop);
      socket.removeListener("error", fail);
    };
    function fail(error: Error) {
      finish();
      reject(explained(host, error));
    }
    function stop() {
      finish();
      socket.on("error", () => {});
      socket.destroy();
      reject(signal.reason);
    }
    signal.addEventListener("abort", stop, { once: true });
    socket.once("error", fail);
    socket.once("connect", () => {
      finish();
      // Also notices a peer that has gone without a word while nothing is to be said.
      socket.setKeepAlive(true, 30_000);
      resolve(socket);
    });
  });
}

const WHY: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused: nobody listens there",
  ETIMEDOUT: "no answer",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "the network cannot be reached",
  ECONNRESET: "the connection was reset",
};

function explained(host: ResolvedHost, error: Error): SshError {
  const code = codeOf(error) ?? "";
  const place = `${host.hostName}, port ${host.port}`;
  if (code === "ENOTFOUND" || code.startsWith("EAI_")) {
    return new SshError(
      "resolve",
      host.alias,
      `Cannot connect to "${host.alias}": the name "${host.hostName}" is not known`,
      {
        hint: "Is it written right, is there a network, is a VPN needed?",
        passing: true,
        cause: error,
      },
    );
  }
  return new SshError(
    "connect",
    host.alias,
    `Cannot connect to "${host.alias}" (${place}): ${WHY[code] ?? error.message}`,
    {
      hint: "Is the address right, is there a network, is a VPN or a jump host needed?",
      passing: true,
      cause: error,
    },
  );
}
