import type { Config, MetricSource, Objective } from "../sweep/config.ts";
import { readRemediation, readSource } from "./answer-words.ts";
import { readObjective } from "./objective-words.ts";

/** What the interview is about; undefined: nobody has said. */
export interface InterviewFacts {
  objective: Objective | undefined;
  remediation: "remediate" | "notify" | undefined;
  source: MetricSource | undefined;
}

export interface FactSources {
  config: Pick<Config, "halving" | "monitor" | "remediation">;
  /** Text of PROMPT.md. */
  prompt?: string | undefined;
  /** Question id to answer, of this interview. */
  answers?: Readonly<Record<string, string>>;
}

/** What is known without asking: the YAML comes before PROMPT.md, PROMPT.md before answers. */
export function knownFacts({ config, prompt, answers = {} }: FactSources): InterviewFacts {
  const { halving, monitor, remediation } = config;
  const written = promptFacts(prompt ?? "");
  const objective = monitor.objective ??
    (halving === undefined
      ? undefined
      : { metric: halving.metric, direction: halving.direction }) ??
    written.objective ?? answeredObjective(answers["objective"]);
  const source = monitor.metricSource ?? written.source ?? readSource(answers["source"] ?? "") ??
    // Halving reads the streams, so the trainer writes them.
    (halving === undefined ? undefined : "results-json") ??
    (objective === "none" ? "none" : undefined);
  return {
    objective,
    remediation: remediation.mode ?? written.remediation ??
      readRemediation(answers["remediation"] ?? ""),
    source,
  };
}

/** As `knownFacts`, with the safe defaults where nobody has said anything. */
export function settledFacts(sources: FactSources): {
  objective: Objective;
  remediation: "remediate" | "notify";
  source: MetricSource;
} {
  const { objective, remediation, source } = knownFacts(sources);
  const aim = objective ?? "none";
  return {
    objective: aim,
    remediation: remediation ?? "notify",
    // Reading the results files costs nothing and changes nothing.
    source: source ?? (aim === "none" ? "none" : "results-json"),
  };
}

function answeredObjective(answer: string | undefined): Objective | undefined {
  const words = readObjective(answer ?? "");
  return words !== undefined && "objective" in words ? words.objective : undefined;
}

const LINE =
  /^[\s>*_+-]*(objective|goal|success metric|metric source|metric|remediation|on failures?|failures)[\s*_]*[:=][\s*_]*(.+?)[\s*_]*$/i;

/**
 * Facts of PROMPT.md by simple rules: a line of its own such as "objective:
 * maximize val_acc", "remediation: notify" or "metric source: wandb", with or
 * without list marks and bold. Two lines that differ say nothing.
 */
export function promptFacts(text: string): InterviewFacts {
  const objectives: Objective[] = [];
  const remediations: ("remediate" | "notify")[] = [];
  const sources: MetricSource[] = [];
  let fenced = false;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    const [, key = "", value = ""] = fenced ? [] : LINE.exec(line.slice(0, 500)) ?? [];
    switch (key.toLowerCase()) {
      case "objective":
      case "goal":
      case "success metric":
      case "metric": {
        const words = readObjective(value);
        if (words !== undefined && "objective" in words) objectives.push(words.objective);
        break;
      }
      case "metric source": {
        const source = readSource(value);
        if (source !== undefined) sources.push(source);
        break;
      }
      case "remediation":
      case "on failure":
      case "on failures":
      case "failures": {
        const mode = readRemediation(value);
        if (mode !== undefined) remediations.push(mode);
        break;
      }
    }
  }
  return { objective: only(objectives), remediation: only(remediations), source: only(sources) };
}

function only<T>(found: readonly T[]): T | undefined {
  const same = found.every((one) => JSON.stringify(one) === JSON.stringify(found[0]));
  return same ? found[0] : undefined;
}
