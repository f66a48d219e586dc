import {
  type ReadTextFileRequest,
  type ReadTextFileResponse,
  RequestError,
  type WriteTextFileRequest,
} from "@agentclientprotocol/sdk";
import { explain } from "../base/explain.ts";
import { codeOf } from "../base/files.ts";
import type { Sandbox } from "../tasks/sandbox.ts";
import { readConfined, writeConfined } from "./confined-file.ts";
import { type Place, placeIn } from "./confined-path.ts";

const MOST_READ = 16 * 1024 * 1024;
const MOST_WRITTEN = 64 * 1024 * 1024;

export interface AcpFiles {
  read(request: Pick<ReadTextFileRequest, "path" | "line" | "limit">): ReadTextFileResponse;
  write(request: Pick<WriteTextFileRequest, "path" | "content">): void;
}

/** Files that the program asks herd for: of the task's folder alone, unless it may reach all. */
export function createAcpFiles(folder: string, { level }: Sandbox): AcpFiles {
  const place: Place = placeIn(folder, level === "none");
  return {
    read({ path, line, limit }) {
      const text = answer(() => {
        const bytes = readConfined(place, path, { most: MOST_READ });
        return new TextDecoder().decode(bytes);
      });
      if (line === undefined && limit === undefined) return { content: text };
      const from = Math.max(0, (line ?? 1) - 1);
      const to = limit === undefined || limit === null ? undefined : from + Math.max(0, limit);
      return { content: text.split("\n").slice(from, to).join("\n") };
    },
    write({ path, content }) {
      if (level === "read-only") {
        throw new RequestError(-32602, "Cannot write: the sandbox is read-only");
      }
      if (content.length > MOST_WRITTEN) {
        throw new RequestError(-32602, "Cannot write: the text is too long");
      }
      answer(() => writeConfined(place, path, content));
    },
  };
}

function answer<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = codeOf(error) === "ENOENT" ? -32002 : -32602;
    throw new RequestError(code, explain(error, "terminal").split("\n")[0] ?? "Failed");
  }
}
