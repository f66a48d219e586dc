import type { SshHost, SshState } from "../../lib/ssh/ssh-host.ts";
import { createSshScene, type SshScene } from "./ssh-scene.ts";
import { type Sshd, type SshdOptions, startSshd } from "./sshd.ts";
import { startTroubledProxy, type TroubledProxy } from "./troubled-proxy.ts";

/** A real server that lets us in, and whose key is known. */
export interface SshdScene extends SshScene {
  server: Sshd;
  here(parts?: Parameters<SshScene["host"]>[1]): SshHost;
}

export async function openSshdScene(options: SshdOptions = {}): Promise<SshdScene> {
  const server = await startSshd(options);
  const scene = createSshScene();
  server.authorize(`${scene.key("id_ed25519")}.pub`);
  scene.trust(server);
  const end = scene[Symbol.asyncDispose].bind(scene);
  return Object.assign(scene, {
    server,
    here: (parts?: Parameters<SshScene["host"]>[1]) =>
      scene.host(`127.0.0.1:${server.port}`, parts),
    async [Symbol.asyncDispose]() {
      await end();
      await server[Symbol.asyncDispose]();
    },
  });
}

/** The same server by way of a line that can be troubled; it is known under its own port. */
export async function troubled(
  scene: SshdScene,
  config = "",
): Promise<{ proxy: TroubledProxy; host: SshHost }> {
  const { port } = scene.server;
  const proxy = await startTroubledProxy(port);
  const alias = `HostKeyAlias [127.0.0.1]:${port}`;
  scene.config(`Host it\nHostName 127.0.0.1\nPort ${proxy.port}\n${alias}\n${config}`);
  return { proxy, host: scene.host("it") };
}

/** When the host is in this state; at once when it is. */
export function untilState(host: SshHost, wanted: SshState["kind"]): Promise<void> {
  return new Promise((resolve) => {
    if (host.state.kind === wanted) return resolve();
    const stop = host.onState(({ kind }) => {
      if (kind !== wanted) return;
      stop();
      resolve();
    });
  });
}
