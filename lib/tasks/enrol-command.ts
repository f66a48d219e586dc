import { shellQuote } from "../base/text.ts";
import type { WorkerVia } from "./pool-event.ts";

/** What is typed on the worker's own machine to become this worker. */
export function enrolCommand(
  via: WorkerVia,
  { name, code, folder }: { name: string; code: string; folder: string },
): string {
  switch (via) {
    case "files":
      return `herd worker --name ${name} --pool ${shellQuote(folder)}`;
    case "discord":
      return `herd worker --via discord --code ${code} --token-env NAME`;
    case "http":
      return `herd worker --code ${code}`;
  }
}
