import type { Notice } from "../actions/desk.ts";

/** What stands before a post, so that one sees at a glance who speaks; "" for what is no post. */
export function prefixOf(kind: Notice["kind"]): string {
  return PREFIXES[kind];
}

const PREFIXES: Readonly<Record<Notice["kind"], string>> = {
  agent: "🐕",
  running: "▶️",
  completed: "✅",
  warning: "⚠️",
  halving: "✂️",
  stopped: "🛑",
  task: "🔎",
  heartbeat: "🐾",
  stream: "🐕",
  typing: "",
};
