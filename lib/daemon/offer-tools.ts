import { dirname } from "node:path";
import type { Tool } from "../agent/tool.ts";
import type { ToolOffer } from "../backends/converser-parts.ts";
import { explain } from "../base/explain.ts";
import type { Log } from "../base/log.ts";
import { prepareTools, type UserPlace } from "../control/user-place.ts";
import { fileOfProgram } from "../tasks/program-file.ts";
import { openToolDoor, type ToolDoor } from "./tool-door.ts";
import { TOOLS_ENV } from "./tool-pipe.ts";

export interface OfferToolsParts {
  place: Pick<UserPlace, "toolSockets" | "uid">;
  /** Command line of this program. */
  self: readonly string[];
  log: Log;
}

/** Gives herd's tools to agents that are programs; the door is opened for the first of them. */
export interface OfferTools extends AsyncDisposable {
  /** Undefined when there can be no door: the agent then goes without. */
  offer(tools: readonly Tool[]): Promise<ToolOffer | undefined>;
}

export function createOfferTools({ place, self, log }: OfferToolsParts): OfferTools {
  let door: Promise<ToolDoor> | undefined;

  function opened(): Promise<ToolDoor> {
    door ??= Promise.resolve().then(() =>
      openToolDoor({
        socket: prepareTools(place),
        onProblem: (message) => log.write("info", "An agent's tools", { problem: message }),
      })
    );
    return door;
  }

  return {
    async offer(tools) {
      try {
        const { socket, port, admit } = await opened();
        const ticket = admit(tools);
        const [program = "", ...more] = self;
        const command = fileOfProgram(program);
        const variables = {
          [TOOLS_ENV.socket]: socket,
          [TOOLS_ENV.port]: `${port}`,
          [TOOLS_ENV.token]: ticket.token,
        };
        return {
          server: {
            name: "herd",
            command,
            args: [...more, "agent-tools"],
            env: Object.entries(variables).map(([name, value]) => ({ name, value })),
          },
          reads: [command, dirname(socket)],
          [Symbol.dispose]: () => ticket[Symbol.dispose](),
        };
      } catch (error) {
        door = undefined;
        log.write("warn", "Agents have no tools of herd's now", {
          error: explain(error, "terminal"),
        });
        return undefined;
      }
    },
    async [Symbol.asyncDispose]() {
      await (await door?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}
