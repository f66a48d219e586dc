import { fixedDigest } from "./definition.ts";
import type { Definition } from "./event.ts";
import { canonicalText } from "./identity.ts";
import { overrideKey, valueText } from "./overrides.ts";

/** What changed between two configurations, as sentences without a final period. */
export function definitionChanges(
  previous: Definition | undefined,
  next: Definition,
  launcher: string,
): string[] {
  if (previous === undefined) return [];
  return [...parameterChanges(previous, next), ...fixedChanges(previous, next, launcher)];
}

function parameterChanges(previous: Definition, next: Definition): string[] {
  const sentences: string[] = [];
  const before = new Map(previous.parameters.map((name) => [overrideKey(name), name]));
  const after = new Map(next.parameters.map((name) => [overrideKey(name), name]));
  for (const [key, name] of after) {
    const old = before.get(key);
    const value = defaultText(next, name);
    if (old === undefined) {
      const assigned = staticText(previous, key);
      sentences.push(
        assigned !== undefined
          ? `Parameter "${name}" is new: trials without it count as "${assigned}", their static override`
          : value !== undefined
          ? `Parameter "${name}" is new with ${value}: trials without it count as having that value`
          : `Parameter "${name}" is new without a default: trials without it match only where one value is possible`,
      );
      continue;
    }
    if (old !== name) sentences.push(`Parameter "${old}" is written "${name}" now`);
    const was = defaultText(previous, old);
    if (was !== value) {
      const now = value === undefined ? "has no default any more" : `has the default ${value} now`;
      sentences.push(
        `Parameter "${name}" ${now}, before it ${was === undefined ? "had none" : `was ${was}`}`,
      );
    }
  }
  for (const [key, name] of before) {
    if (after.has(key)) continue;
    const held = staticText(next, key) ?? defaultText(previous, name);
    sentences.push(
      held === undefined
        ? `Parameter "${name}" is gone and had no default: trials with it match none`
        : `Parameter "${name}" is gone: trials that have ${held} for it stay, others go`,
    );
  }
  return sentences;
}

function fixedChanges(previous: Definition, next: Definition, launcher: string): string[] {
  const sentences: string[] = [];
  const added = next.staticOverrides.filter((token) => !previous.staticOverrides.includes(token));
  const gone = previous.staticOverrides.filter((token) => !next.staticOverrides.includes(token));
  const parts = [
    ...added.map((token) => `${JSON.stringify(token)} is new`),
    ...gone.map((token) => `${JSON.stringify(token)} is gone`),
  ];
  if (parts.length > 0) sentences.push(`Static overrides changed: ${parts.join(", ")}`);
  else if (previous.staticOverrides.join("\0") !== next.staticOverrides.join("\0")) {
    sentences.push("Static overrides changed: their order is another one");
  }
  if (previous.fixed !== fixedDigest(previous.staticOverrides, launcher)) {
    sentences.push(`The launcher changed: it is "${launcher}" now`);
  }
  return sentences;
}

function defaultText(definition: Definition, name: string): string | undefined {
  if (!Object.hasOwn(definition.defaults, name)) return undefined;
  const value = definition.defaults[name]!;
  return typeof value === "string" ? canonicalText(value) : valueText(value);
}

function staticText(definition: Definition, key: string): string | undefined {
  const text = definition.staticOverrides.findLast((token) =>
    token.includes("=") && overrideKey(token.slice(0, token.indexOf("="))) === key
  );
  return text?.slice(text.indexOf("=") + 1);
}
