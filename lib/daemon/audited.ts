import type { Action, Perform } from "../actions/perform.ts";
import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import type { Audit } from "../store/audit.ts";
import type { MonitorHappening } from "../sweep/monitor-event.ts";

/** Writes every action into the audit log, with who asked for it, why, and what came of it. */
export function audited(
  perform: Perform,
  { audit, clock, by }: { audit: Audit; clock: Clock; by: string },
): Perform {
  async function act(action: Action): Promise<unknown> {
    if (action.verb === "look") return await perform(action);
    const startedAt = clock.now();
    const told = (result: unknown) => {
      for (const { event, fields } of entriesOf(action)) {
        const duration_ms = clock.now() - startedAt;
        audit.write(clock.now(), event, { by, ...fields, ...(result as object), duration_ms });
      }
    };
    try {
      const outcome = await perform(action);
      told(outcome.done ? { result: factsOf(outcome) } : { refused: outcome.reason });
      return outcome;
    } catch (error) {
      told({ error: explain(error, "log").split("\n")[0] });
      throw error;
    }
  }
  return act as Perform;
}

interface Entry {
  event: string;
  fields: Readonly<Record<string, unknown>>;
}

function entriesOf(action: Action): Entry[] {
  switch (action.verb) {
    case "record":
      return action.whats.flatMap((what) => entryOf(what) ?? []);
    case "bump":
      return [{ event: "bump", fields: { ...action.bump } }];
    case "change-files": {
      const { id, files } = action;
      return [{ event: "change-files", fields: { id, files: files.map(({ name }) => name) } }];
    }
    case "run": {
      const { indices, force, skip, changed } = action.request;
      const fields = {
        indices: indices ?? "all",
        why: action.reason ?? null,
        force,
        skip,
        changed,
        scheduler: action.scheduler,
      };
      return [{ event: "run", fields }];
    }
    case "resume":
      return [{ event: "resume", fields: { indices: action.indices } }];
    case "halve":
      return [{ event: "halve", fields: { metric: action.settings.metric } }];
    case "stop":
    case "pause":
    case "prune":
      return [{
        event: action.verb,
        fields: { indices: action.indices, why: action.reason ?? null },
      }];
    default:
      return [{ event: action.verb, fields: {} }];
  }
}

/** Of the monitor's memory, what somebody who retraces its work wants to see. */
function entryOf(what: MonitorHappening): Entry | undefined {
  const { type, ...fields } = what;
  switch (what.type) {
    case "messages-handled":
    case "bump-applied":
    case "bumped":
    case "question-closed":
      return undefined;
    case "said":
      return { event: "said", fields: { kind: what.said.kind, text: what.said.text } };
    case "ticked":
      return { event: "tick", fields: { ...what.tick } };
    case "triaged":
      return { event: "triage", fields: { verdicts: what.verdicts } };
    default:
      return { event: type, fields };
  }
}

/** What is worth a line: indices, job ids and warnings, not whole plans. */
function factsOf(outcome: object): Record<string, unknown> {
  const facts: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(outcome)) {
    if (key === "done" || key === "plan" || key === "observations") continue;
    facts[key] = value instanceof Error ? value.message : value;
  }
  return facts;
}
