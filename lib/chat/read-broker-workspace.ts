import { isAbsolute } from "node:path";
import { quote, readBoolean, readFields, readText, wrong } from "../sweep/fields.ts";
import type { Report } from "../sweep/report.ts";
import type { Node } from "../sweep/yaml-node.ts";
import type { SandboxLevel } from "../tasks/sandbox.ts";
import type { AgentChoice, Project, WorkspaceRules } from "./broker-config.ts";
import { WORKSPACE_DEFAULTS } from "./broker-defaults.ts";
import { openSection } from "./section.ts";

const KEYS = ["working_dir", "per_thread", "sandbox", "network"] as const;
const PROJECT_KEYS = ["folder", "worktree", "agent", "model"] as const;
/** A record, so that none of them can be missing. */
const SANDBOXES: Readonly<Record<SandboxLevel, true>> = {
  "none": true,
  "workspace": true,
  "read-only": true,
};

/** The section `workspace`. */
export function readWorkspace(node: Node | undefined, report: Report): WorkspaceRules {
  const usual = WORKSPACE_DEFAULTS;
  const section = openSection(node, KEYS, report);
  if (section === undefined) return usual;
  const levels = Object.keys(SANDBOXES) as SandboxLevel[];
  return {
    folder: section.read<string | undefined>("working_dir", readFolder, undefined),
    perThread: section.yes("per_thread", usual.perThread),
    sandbox: section.choice("sandbox", levels, usual.sandbox),
    network: section.yes("network", usual.network),
  };
}

/** The section `projects`: channels, and what their conversations work on. */
export function readProjects(
  node: Node | undefined,
  readAgent: (agent: Node | undefined, model: Node | undefined) => AgentChoice | undefined,
  report: Report,
): Readonly<Record<string, Project>> {
  if (node === undefined) return {};
  if (node.kind !== "mapping") {
    wrong(
      node,
      report,
      'a mapping of channels to folders such as {"1234567890123456789": /data/x}',
    );
    return {};
  }
  const projects = node.entries.map(({ key, at, value }) => {
    // Keys are read as they were written, so none of their digits is lost.
    const [, id] = /^(?:<#)?(\d{1,20})>?$/.exec(key) ?? [];
    if (id === undefined) {
      return report.mistake(
        at,
        `Cannot use ${quote(key)} in ${node.path}: expected the id of a channel in quotes ` +
          'such as "1234567890123456789"',
      );
    }
    const project = readProject(value, readAgent, report);
    return project === undefined ? undefined : [id, project] as const;
  });
  return Object.fromEntries(projects.filter((one) => one !== undefined));
}

function readProject(
  node: Node,
  readAgent: (agent: Node | undefined, model: Node | undefined) => AgentChoice | undefined,
  report: Report,
): Project | undefined {
  if (node.kind === "scalar") {
    const folder = readFolder(node, report);
    return folder === undefined ? undefined : { folder, worktree: false, agent: undefined };
  }
  const fields = readFields(node, PROJECT_KEYS, report);
  if (fields === undefined) return undefined;
  const at = (key: typeof PROJECT_KEYS[number]) => fields.get(key)?.value;
  const [folderNode, worktree] = [at("folder"), at("worktree")];
  const folder = folderNode === undefined
    ? wrong(node, report, 'a mapping with "folder"')
    : readFolder(folderNode, report);
  const isTold = at("agent") !== undefined || at("model") !== undefined;
  const agent = isTold ? readAgent(at("agent"), at("model")) : undefined;
  const isTree = worktree === undefined ? false : readBoolean(worktree, report);
  if (folder === undefined || isTree === undefined) return undefined;
  return { folder, worktree: isTree, agent };
}

function readFolder(node: Node, report: Report): string | undefined {
  const text = readText(node, report);
  if (text === undefined || isAbsolute(text)) return text;
  const hint = text.startsWith("~") ? 'Write "${HOME}" for "~"' : undefined;
  return wrong(node, report, 'an absolute path such as "/data/project"', hint);
}
