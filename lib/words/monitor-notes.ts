import type { Peripheral } from "../sweep/monitor-event.ts";
import type { MonitorState } from "../sweep/monitor-state.ts";
import { spanText } from "./duration-text.ts";
import { quoted } from "./post-text.ts";

const NOTES: Readonly<Record<Peripheral, (detail: string, span: string) => string>> = {
  "discord": (detail, span) =>
    `Discord has been out for ${span}: ${detail}; the sweep goes on without it`,
  "discord-rights": (detail, span) => `Something is missing in Discord, for ${span}: ${detail}`,
};

/** What somebody who looks at a sweep should know of its monitor: what holds it up and what is out. */
export function monitorNotes(monitor: MonitorState, now: number): string[] {
  const notes: string[] = [];
  const { halted, running, model, question } = monitor;
  if (halted !== undefined) {
    notes.push(
      `The monitor is halted: ${quoted(halted.why, 300)}; /continue in \`herd attach\` ends that`,
    );
  }
  // What a daemon that has ended once met is no news.
  if (running === undefined) return notes;
  if (question !== undefined) notes.push(`The monitor asks: ${quoted(question.text, 300)}`);
  if (model !== undefined && !model.ok) {
    notes.push(
      `The model does not answer, for ${spanText(now - model.since)}: ${
        quoted(model.detail, 300)
      }; the rules go on without it`,
    );
  }
  for (const [name, health] of Object.entries(monitor.peripherals)) {
    if (health.ok) continue;
    const note = NOTES[name as Peripheral];
    notes.push(note(quoted(health.detail, 600), spanText(now - health.since)));
  }
  return notes;
}
