/** Names in an attempt's folder; people and agents read them. */
export const TASK_FILE = "TASK.txt";
export const INSTRUCTIONS_FILE = "AGENTS.md";
export const TOOLS_FILE = "TOOLS.md";
export const RESULT_FILE = "RESULT.txt";
/** What a task came with, to be read. */
export const DATA_FOLDER = "data";
/** A change of some of those files that the agent proposes. */
export const PROPOSAL_FILE = "PROPOSAL.diff";
export const LOG_FILE = "agent-output.log";
export const MANIFEST_FILE = "manifest.json";
/** A confined agent's home and temporary files; not part of what it leaves. */
export const HOME_FOLDER = ".home";
export const TEMPORARY_FOLDER = ".tmp";
