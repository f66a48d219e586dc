import { isScalar, LineCounter, parseAllDocuments, type YAMLError } from "yaml";
import type { Report, Spot } from "./report.ts";
import type { MappingNode } from "./yaml-node.ts";
import { unfoldYaml } from "./yaml-unfold.ts";

const MOST_SYNTAX_MISTAKES = 5;

/** What is said to somebody whose file has no mapping. */
const SWEEP = {
  begin: 'Run "herd init" to get one to start from',
  example: "name: my-sweep",
};

/**
 * Reads one YAML document whose root is a mapping: anchors and merge keys
 * unfolded, duplicate keys reported. Undefined when it is not one; why is in the report.
 */
export function readYaml(
  text: string,
  report: Report,
  { begin, example } = SWEEP,
): MappingNode | undefined {
  const source = text.replace(/^\uFEFF/, "");
  const lines = new LineCounter();
  const documents = parseAllDocuments(source, {
    // Scalars stay text: what they mean is decided by yaml-scalar.ts, with PyYAML in mind.
    schema: "failsafe",
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
    lineCounter: lines,
  });
  const start: Spot = { line: 1, column: 1, path: "" };
  const document = Array.isArray(documents) ? documents[0] : undefined;
  const spot = (offset: number, path: string): Spot => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col), path };
  };
  if (document === undefined) {
    return report.mistake(start, "Cannot read the file: it is empty", begin);
  }
  const errors = documents.flatMap((each) => each.errors);
  for (const error of errors.slice(0, MOST_SYNTAX_MISTAKES)) {
    const { message, hint } = explainSyntax(error);
    report.mistake(spot(error.pos[0], ""), `Cannot read the file as YAML: ${message}`, hint);
  }
  if (errors.length > 0) return undefined;
  const second = documents[1];
  if (second !== undefined) {
    return report.mistake(
      spot(second.contents?.range?.[0] ?? second.range[0], ""),
      `Cannot read the file: found ${documents.length} YAML documents, expected one`,
      'Remove the "---" line between them',
    );
  }
  const contents: unknown = document.contents;
  if (contents === null || (isScalar(contents) && contents.source === "")) {
    return report.mistake(start, "Cannot read the file: it holds no settings", begin);
  }
  const root = unfoldYaml(document, source, spot, report);
  if (root === undefined || root.kind === "mapping") return root;
  const found = root.kind === "list" ? "a list" : "a single value";
  return report.mistake(
    root,
    `Cannot read the file: found ${found} at the top, expected a mapping such as "${example}"`,
  );
}

function explainSyntax(error: YAMLError): { message: string; hint?: string } {
  switch (error.code) {
    case "TAB_AS_INDENT":
      return { message: "found a tab in the indentation, expected spaces" };
    case "BLOCK_AS_IMPLICIT_KEY":
    case "MULTILINE_IMPLICIT_KEY":
      return {
        message: 'found a second ": " in one entry',
        hint: 'Quote a text that contains ": ", and give keys of one mapping the same indentation',
      };
    case "BAD_SCALAR_START":
      return {
        message: "found an unquoted text that starts with a reserved character",
        hint: "Put the text in quotes",
      };
    case "RESOURCE_EXHAUSTION":
      return { message: "it is nested too deeply" };
    default: {
      const [first = "", ...rest] = error.message;
      return { message: first.toLowerCase() + rest.join("") };
    }
  }
}
