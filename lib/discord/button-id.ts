import { LIMITS } from "./limits.ts";

/** What a button does when it is pressed: everything that is needed is in its id, so that it works after a restart. */
export interface ButtonAction {
  action: string;
  /** The mark of the sweep's channel. */
  sweep: string;
  args: readonly string[];
}

const PREFIX = "herd1";

/** Undefined where it has no room in Discord's 100 characters. */
export function encodeButton({ action, sweep, args }: ButtonAction): string | undefined {
  const id = [PREFIX, action, sweep, ...args].map(encodeURIComponent).join(":");
  return id.length <= LIMITS.buttonId ? id : undefined;
}

/** Undefined for what is not ours, or of a form that this version does not know. */
export function decodeButton(id: string): ButtonAction | undefined {
  const parts = id.split(":");
  if (parts[0] !== PREFIX || parts.length < 3) return undefined;
  try {
    const [action, sweep, ...args] = parts.slice(1).map(decodeURIComponent);
    return { action: action!, sweep: sweep!, args };
  } catch {
    return undefined;
  }
}
