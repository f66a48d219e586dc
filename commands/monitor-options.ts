import type { Context } from "./command.ts";
import { HOST_OPTION } from "./host-option.ts";

export const MONITOR_OPTIONS = [
  { name: "detach", short: "d", description: "Go on in the background" },
  { name: "ensure", description: "Start it in the background unless it runs; for cron" },
  { name: "stop", description: "End the daemon, or the monitor of these sweeps only" },
  { name: "restart", description: "Have the daemon become the version that is installed now" },
  { name: "once", description: "One look, one tick, then the end" },
  {
    name: "dry-run",
    short: "n",
    description: "Show what it would do and tell the agent; do nothing",
  },
  {
    name: "message",
    short: "p",
    value: "TEXT",
    description: "Say this to it; without a daemon, answer and end",
  },
  { name: "no-agent", description: "Rules alone: no model is called" },
  { name: "max-ticks", value: "N", number: "whole", least: 1, description: "End after N ticks" },
  HOST_OPTION,
  { name: "local", description: "Run trials as processes of this machine" },
  { name: "background", description: "For --detach: no terminal is there" },
] as const;

export type MonitorContext = Context<typeof MONITOR_OPTIONS>;
