import { join } from "node:path";

/** Where a bot keeps what it knows; paths only. */
export interface BotPlace {
  root: string;
  journal: string;
  snapshot: string;
  lease: string;
  /** How far it got on Discord. */
  discord: string;
  audit: string;
  /** One folder for each conversation: its transcript, what was sent of its files. */
  sessions: string;
  /** Folders in which agents work, where the configuration names none. */
  workspaces: string;
  /** Git worktrees of projects. */
  worktrees: string;
}

/** `folder` is that of the user's daemon. The bot's name was checked when it was read. */
export function botPlace(folder: string, bot: string): BotPlace {
  const root = join(folder, "broker", bot);
  return {
    root,
    journal: join(root, "journal.jsonl"),
    snapshot: join(root, "snapshot.json"),
    lease: join(root, "lease"),
    discord: join(root, "discord.json"),
    audit: join(root, "audit.jsonl"),
    sessions: join(root, "sessions"),
    workspaces: join(root, "workspaces"),
    worktrees: join(root, "worktrees"),
  };
}
