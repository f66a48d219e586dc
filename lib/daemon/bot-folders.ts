import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProcess } from "../base/process.ts";
import type { BotConfig } from "../chat/broker-config.ts";
import type { Conversation } from "../chat/chat-state.ts";
import type { BotPlace } from "./broker-place.ts";

/** Where a conversation works. */
export interface BotFolder {
  /** The agent's working folder; absolute. */
  folder: string;
  /** What people attach and what the agent sends; the same, or below it where others work there, too. */
  files: string;
  /** What lies outside and must be writable: git's own folder of a worktree. */
  writes: readonly string[];
}

const GIT_MS = 120_000;

/** Makes the folder where it is not there. A worktree that cannot be made is told of. */
export async function botFolder(
  { id, place: { channelId } }: Pick<Conversation, "id" | "place">,
  { projects, workspace }: Pick<BotConfig, "projects" | "workspace">,
  place: BotPlace,
): Promise<BotFolder | { refused: string }> {
  const project = Object.hasOwn(projects, channelId) ? projects[channelId] : undefined;
  if (project !== undefined) {
    if (!isDirectory(project.folder)) {
      return { refused: `The folder of this channel's project is not there: "${project.folder}"` };
    }
    return project.worktree
      ? await worktree(id, project.folder, join(place.worktrees, id))
      : shared(project.folder, id);
  }
  const { folder, perThread } = workspace;
  if (folder !== undefined && !perThread) return shared(folder, id);
  const own = join(folder ?? place.workspaces, id);
  return made({ folder: own, files: own, writes: [] });
}

/** Several conversations work in it: each has its own place for files, which the others' do not send. */
function shared(folder: string, id: string): BotFolder | { refused: string } {
  return made({ folder, files: join(folder, ".herd-conversations", id), writes: [] });
}

function made(one: BotFolder): BotFolder | { refused: string } {
  try {
    mkdirSync(join(one.files, "outbox"), { recursive: true });
    // What is ours in somebody's repository is nobody's change.
    if (one.files !== one.folder) writeFileSync(join(one.files, ".gitignore"), "*\n");
    return one;
  } catch (error) {
    return { refused: `Cannot make the conversation's folder: ${(error as Error).message}` };
  }
}

async function worktree(
  id: string,
  project: string,
  path: string,
): Promise<BotFolder | { refused: string }> {
  const common = await git([
    "-C",
    project,
    "rev-parse",
    "--path-format=absolute",
    "--git-common-dir",
  ]);
  if ("failed" in common) return { refused: `No git worktree of "${project}": ${common.failed}` };
  if (!isDirectory(path)) {
    // One whose folder was removed is forgotten first; its branch is there still.
    await git(["-C", project, "worktree", "prune"]);
    const branch = `herd/${id}`;
    const known = await git([
      "-C",
      project,
      "rev-parse",
      "--verify",
      "--quiet",
      `refs/heads/${branch}`,
    ]);
    const added = await git([
      ...["-C", project, "worktree", "add", path],
      ...("failed" in known ? ["-b", branch] : [branch]),
    ]);
    if ("failed" in added) return { refused: `No git worktree of "${project}": ${added.failed}` };
  }
  return made({ folder: path, files: join(path, ".herd-conversation"), writes: [common.said] });
}

async function git(words: readonly string[]): Promise<{ said: string } | { failed: string }> {
  const { ok, stdout, stderr, timedOut } = await runProcess(["git", ...words], {
    timeoutMs: GIT_MS,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", LC_ALL: "C" },
  });
  if (ok) return { said: stdout.trim() };
  return { failed: timedOut ? "git took too long" : stderr.trim().slice(-500) || "git failed" };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
