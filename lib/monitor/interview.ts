import type { Boot, Question } from "../sweep/monitor-event.ts";
import { directionWord, guessDirection } from "./direction.ts";
import { readRemediation, readRerun, readSource } from "./answer-words.ts";
import { knownFacts } from "./interview-facts.ts";
import type { FactSources, InterviewFacts } from "./interview-facts.ts";
import { objectiveText, readObjective } from "./objective-words.ts";
import { plainWords } from "./plain-words.ts";

export interface InterviewInput extends FactSources {
  boot: Boot;
  /** Names that trials have logged so far; offered as choices. */
  metrics?: readonly string[];
}

/** The answer that ends an interview early; kept like any other. */
export const BYPASS = "defaults";

const ASKED: Readonly<Record<Boot, readonly string[]>> = {
  greenfield: ["objective", "remediation", "source"],
  "hot-reload": ["objective", "remediation"],
  "post-mortem": ["rerun"],
};

/** The question to ask next; undefined when the interview is over. One per message. */
export function nextQuestion(input: InterviewInput): Question | undefined {
  const answers = input.answers ?? {};
  if (input.boot === "post-mortem") {
    return answers["rerun"] === undefined ? rerunQuestion() : undefined;
  }
  if (!input.config.monitor.interview || Object.values(answers).includes(BYPASS)) return undefined;
  const facts = knownFacts(input);
  const open = ASKED[input.boot].filter((id) =>
    answers[id] === undefined && facts[id as keyof InterviewFacts] === undefined
  );
  const first = Object.keys(answers).length === 0;
  const question = questionOf(open[0], input.metrics ?? []);
  if (question === undefined || !first) return question;
  const hint = open.length === 1
    ? ""
    : `\n(${open.length} short questions. Say "defaults" to skip them.)`;
  return { ...question, text: question.text + hint };
}

function questionOf(id: string | undefined, metrics: readonly string[]): Question | undefined {
  switch (id) {
    case "objective":
      return objectiveQuestion(metrics);
    case "remediation":
      return asked(
        "remediation",
        "On failures: should I repair what I can (more memory or time, submit again), or only notify you?",
        [
          "remediate",
          "notify",
        ],
      );
    case "source":
      return asked("source", "Where do I read the metric?", ["wandb", "results-json", "none"]);
    default:
      return undefined;
  }
}

/** Where trials have logged metrics whose names say which way is better, these are offered. */
function objectiveQuestion(metrics: readonly string[]): Question {
  const known = metrics.flatMap((metric) => {
    const direction = guessDirection(metric);
    return direction === undefined ? [] : [`${directionWord(direction)} ${metric}`];
  }).filter((choice) => isCanonical("objective", choice)).slice(0, 4);
  const choices = known.length > 0 ? known : ["maximize <metric>", "minimize <metric>"];
  return asked("objective", "What are you optimizing?", [...choices, "none"]);
}

function rerunQuestion(): Question {
  return {
    id: "rerun",
    text:
      'Every trial has ended. Rerun anything, or halt? Say "rerun failed", "rerun 3,5", "rerun all" or "halt".',
    choices: [],
  };
}

function asked(id: string, text: string, choices: readonly string[]): Question {
  const list = choices.map((choice, i) => `${i + 1}. ${choice}`).join("\n");
  return { id, text: `${text}\n${list}`, choices };
}

export type Parsed =
  /** As it is kept in `question-closed`. */
  | { answer: string }
  /** The reply to give. `question`: what is open from then on, in place of the first one. */
  | { unclear: string; question?: Question };

/**
 * Reads an answer by rules alone. Undefined: the message is a command or a
 * question of its own ("/status", "stop", "how's it going?") and no answer.
 */
export function parseAnswer(question: Question, text: string): Parsed | undefined {
  const said = text.trim();
  if (said === "" || said.startsWith("/")) return undefined;
  if (isBypass(said) && question.id !== "rerun") return { answer: BYPASS };
  // "halt" and "rerun 3" are what the post-mortem asks for.
  if (question.id !== "rerun" && isCommand(said)) return undefined;
  const chosen = chosenOf(question, said);
  const read = chosen === undefined ? undefined : byKind(question, chosen);
  if (read === undefined && isCommand(said)) return undefined;
  return read ?? { unclear: sayAgain(question) };
}

function byKind(question: Question, said: string): Parsed | undefined {
  switch (question.id) {
    case "objective":
      return parseObjective(said);
    case "remediation":
      return answerOf(readRemediation(said));
    case "source":
      return answerOf(readSource(said));
    case "rerun":
      return answerOf(readRerun(said));
    default:
      // A free question takes any words.
      return question.choices.length === 0 || question.choices.includes(said)
        ? { answer: said }
        : undefined;
  }
}

function parseObjective(said: string): Parsed | undefined {
  if (/<metric>/.test(said)) {
    const word = said.split(" ")[0]!;
    return {
      unclear:
        `Which metric? Say "${word} val_loss", for example, with the name that your trainer logs it under.`,
    };
  }
  const words = readObjective(said);
  if (words === undefined) return undefined;
  if ("objective" in words) return { answer: objectiveText(words.objective) };
  if ("metric" in words) {
    const { metric } = words;
    const question = asked("objective", `Should ${metric} be maximized or minimized?`, [
      `maximize ${metric}`,
      `minimize ${metric}`,
      "none",
    ]);
    return { unclear: question.text, question };
  }
  const word = directionWord(words.direction);
  return { unclear: `Which metric should I ${word}? Say "${word} val_loss", for example.` };
}

/**
 * The words, or the choice that a number stands for; undefined for a number that stands for none.
 * "max" answers the follow-up about a metric whose name did not say which way is better.
 */
function chosenOf({ id, choices }: Question, said: string): string | undefined {
  const number = /^(?:option |number |no\.? ?|#)?(\d{1,2})[.)]?$/i.exec(said)?.[1];
  if (number !== undefined && choices.length > 0) return choices[Number(number) - 1];
  if (id !== "objective" || choices.some((choice) => choice.includes("<"))) return said;
  const words = readObjective(said);
  if (words === undefined || !("direction" in words)) return said;
  const fitting = choices.filter((choice) => choice.startsWith(directionWord(words.direction)));
  return fitting.length === 1 ? fitting[0] : said;
}

/** What asks for something else, whatever is open; "yes", "no" and "maximize loss" may be answers. */
function isCommand(said: string): boolean {
  const words = plainWords(said);
  if (words === undefined) return false;
  if ("request" in words || "unclear" in words) return true;
  return words.intent === "pause" || words.intent === "status" || words.intent === "retry-failed";
}

function isBypass(said: string): boolean {
  return /^(?:defaults?|the defaults|use (?:the )?defaults?|skip|skip (?:it|this|all|the rest)|just (?:go|start)|go)[.!]?$/i
    .test(said);
}

function answerOf(answer: string | undefined): Parsed | undefined {
  return answer === undefined ? undefined : { answer };
}

function sayAgain(question: Question): string {
  const offered = question.choices.map((choice) => `"${choice}"`);
  if (offered.length === 0) return `I did not understand that. ${question.text}`;
  const last = offered.pop()!;
  const either = offered.length === 0 ? last : `${offered.join(", ")} or ${last}`;
  return `I did not understand that. Say ${either}, or "defaults".`;
}

/** Whether an answer has one of the forms that answers to this question are kept in. */
export function isCanonical(id: string, answer: string): boolean {
  switch (id) {
    case "objective": {
      const words = readObjective(answer);
      return words !== undefined && "objective" in words &&
        objectiveText(words.objective) === answer;
    }
    case "remediation":
      return answer === "remediate" || answer === "notify";
    case "source":
      return answer === "wandb" || answer === "results-json" || answer === "none";
    case "rerun":
      return readRerun(answer) === answer;
    default:
      return false;
  }
}
