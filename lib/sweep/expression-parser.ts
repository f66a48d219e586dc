import { made, nested, peek, take, unexpected } from "./expression-cursor.ts";
import type { Parser } from "./expression-cursor.ts";
import { ALLOWED, ExpressionError } from "./expression-error.ts";
import { tokenize } from "./expression-lexer.ts";
import type { Token } from "./expression-lexer.ts";
import type { Arithmetic, Comparison, ExpressionNode, Link } from "./expression-tree.ts";

/** Far beyond what a person writes. */
const MAX_SOURCE = 10_000;

/** Parses a whole expression, or throws an ExpressionError. */
export function parseTree(source: string, names: ReadonlySet<string>): ExpressionNode {
  if (source.length > MAX_SOURCE) {
    throw new ExpressionError(
      `The expression has ${source.length} characters, at most ${MAX_SOURCE} are allowed`,
      MAX_SOURCE + 1,
    );
  }
  const parser: Parser = { tokens: tokenize(source, names), at: 0, nodes: 0, depth: 0 };
  if (peek(parser).kind === "end") throw new ExpressionError("The expression is empty", 1);
  const root = parseExpression(parser);
  const rest = peek(parser);
  if (rest.text === ",") {
    throw new ExpressionError(
      'Unexpected ","',
      rest.column,
      "Write round brackets around a tuple: (1, 2)",
    );
  }
  if (rest.kind !== "end") throw unexpected(rest, "an operator or the end");
  return root;
}

/** `A if B else C`, or what binds tighter. */
function parseExpression(parser: Parser): ExpressionNode {
  return nested(parser, () => {
    const then = parseOr(parser);
    const word = peek(parser);
    if (!take(parser, "if")) return then;
    const test = parseOr(parser);
    if (!take(parser, "else")) {
      throw unexpected(peek(parser), '"else"', 'A choice is written "A if B else C"');
    }
    const otherwise = parseExpression(parser);
    return made(parser, { kind: "if", test, then, otherwise, column: word.column });
  });
}

function parseOr(parser: Parser): ExpressionNode {
  let left = parseAnd(parser);
  for (let word = peek(parser); take(parser, "or"); word = peek(parser)) {
    const right = parseAnd(parser);
    left = made(parser, { kind: "or", left, right, column: word.column });
  }
  return left;
}

function parseAnd(parser: Parser): ExpressionNode {
  let left = parseNot(parser);
  for (let word = peek(parser); take(parser, "and"); word = peek(parser)) {
    const right = parseNot(parser);
    left = made(parser, { kind: "and", left, right, column: word.column });
  }
  return left;
}

function parseNot(parser: Parser): ExpressionNode {
  const { column } = peek(parser);
  if (!take(parser, "not")) return parseComparison(parser);
  const operand = nested(parser, () => parseNot(parser));
  return made(parser, { kind: "unary", operator: "not", operand, column });
}

function parseComparison(parser: Parser): ExpressionNode {
  const first = parseSum(parser);
  const links: Link[] = [];
  for (;;) {
    const { column } = peek(parser);
    const operator = takeComparison(parser);
    if (operator === undefined) break;
    links.push({ operator, operand: parseSum(parser), column });
  }
  if (links.length === 0) return first;
  return made(parser, { kind: "compare", first, links, column: links[0]!.column });
}

function takeComparison(parser: Parser): Comparison | undefined {
  const token = peek(parser);
  if (token.kind === "sign" && /^(==|!=|<=|>=|<|>)$/.test(token.text)) {
    const after = parser.tokens[parser.at + 1];
    if (token.text === "<" && after?.text === ">" && after.column === token.column + 1) {
      throw new ExpressionError('"<>" is not allowed', token.column, 'Write "!="');
    }
    parser.at += 1;
    return token.text as Comparison;
  }
  if (token.kind !== "word") return undefined;
  if (token.text === "is") {
    throw new ExpressionError('"is" is not allowed', token.column, 'Write "==" or "!="');
  }
  if (take(parser, "in")) return "in";
  const next = parser.tokens[parser.at + 1];
  if (token.text === "not" && next?.kind === "word" && next.text === "in") {
    parser.at += 2;
    return "not in";
  }
  return undefined;
}

function parseSum(parser: Parser): ExpressionNode {
  return parseLeft(parser, /^[-+]$/, () => parseLeft(parser, /^(\*|\/|\/\/|%)$/, parseUnary));
}

/** Operators of one rank, grouped from the left. */
function parseLeft(
  parser: Parser,
  operators: RegExp,
  operand: (parser: Parser) => ExpressionNode,
): ExpressionNode {
  let left = operand(parser);
  for (;;) {
    const token = peek(parser);
    if (token.kind !== "sign" || !operators.test(token.text)) return left;
    parser.at += 1;
    const right = operand(parser);
    const operator = token.text as Arithmetic;
    left = made(parser, { kind: "binary", operator, left, right, column: token.column });
  }
}

function parseUnary(parser: Parser): ExpressionNode {
  const token = peek(parser);
  if (token.kind !== "sign" || (token.text !== "-" && token.text !== "+")) {
    return parsePower(parser);
  }
  const operator = token.text;
  parser.at += 1;
  const operand = nested(parser, () => parseUnary(parser));
  return made(parser, { kind: "unary", operator, operand, column: token.column });
}

/** Binds tighter than a sign on its left, looser than one on its right: -2**2 is -4, 2**-1 is 0.5. */
function parsePower(parser: Parser): ExpressionNode {
  const left = parseAtom(parser);
  const { column } = peek(parser);
  if (!take(parser, "**")) return left;
  const right = nested(parser, () => parseUnary(parser));
  return made(parser, { kind: "binary", operator: "**", left, right, column });
}

function parseAtom(parser: Parser): ExpressionNode {
  const atom = parseBareAtom(parser);
  const next = peek(parser);
  if (next.kind === "sign" && next.text === "[") {
    throw new ExpressionError("Subscripts are not allowed", next.column, ALLOWED);
  }
  if (next.kind === "sign" && next.text === "(") {
    throw new ExpressionError(
      atom.kind === "name" ? `Parameter "${atom.name}" is not a function` : "Calls are not allowed",
      next.column,
      "The functions are min(...) and max(...), unless a parameter has that name",
    );
  }
  return atom;
}

function parseBareAtom(parser: Parser): ExpressionNode {
  const token = peek(parser);
  const { column } = token;
  switch (token.kind) {
    case "int":
    case "float":
      parser.at += 1;
      return made(parser, { kind: token.kind, value: token.value, column });
    case "string":
      return parseStrings(parser);
    case "name":
      parser.at += 1;
      return made(parser, { kind: "name", name: token.text, column });
    case "word":
      return parseWord(parser, token);
    default:
      if (token.text === "(") return parseBrackets(parser);
      if (token.text !== "[") throw unexpected(token, "a value");
      parser.at += 1;
      return made(parser, { kind: "list", items: parseItems(parser, "]", column), column });
  }
}

/** Strings side by side are one string. */
function parseStrings(parser: Parser): ExpressionNode {
  const { column } = peek(parser);
  let value = "";
  for (let token = peek(parser); token.kind === "string"; token = peek(parser)) {
    value += token.value;
    parser.at += 1;
  }
  return made(parser, { kind: "constant", value, column });
}

function parseWord(parser: Parser, token: Token): ExpressionNode {
  const { column } = token;
  parser.at += 1;
  switch (token.text) {
    case "True":
    case "true":
      return made(parser, { kind: "constant", value: true, column });
    case "False":
    case "false":
      return made(parser, { kind: "constant", value: false, column });
    case "None":
    case "null":
      return made(parser, { kind: "constant", value: null, column });
    case "min":
    case "max":
      return parseCall(parser, token.text, column);
    default:
      throw unexpected(token, "a value");
  }
}

function parseCall(parser: Parser, name: "min" | "max", column: number): ExpressionNode {
  if (!take(parser, "(")) {
    throw new ExpressionError(`Function "${name}" is not called`, column, `Write ${name}(a, b)`);
  }
  const items = parseItems(parser, ")", column);
  if (items.length === 0) {
    throw new ExpressionError(`Function "${name}" needs values`, column, `Write ${name}(a, b)`);
  }
  return made(parser, { kind: "call", function: name, items, column });
}

/** A tuple, or an expression in round brackets. A tuple's value is a list. */
function parseBrackets(parser: Parser): ExpressionNode {
  const { column } = peek(parser);
  parser.at += 1;
  const items = parseItems(parser, ")", column);
  const comma = parser.tokens[parser.at - 2]?.text === ",";
  if (items.length === 1 && !comma) return items[0]!;
  return made(parser, { kind: "list", items, column, tuple: true });
}

/** Values between commas up to the closing bracket; a comma may stand before it. */
function parseItems(parser: Parser, close: ")" | "]", opened: number): ExpressionNode[] {
  const items: ExpressionNode[] = [];
  while (!take(parser, close)) {
    const token = peek(parser);
    if (token.text === "*" || token.text === "**") {
      throw new ExpressionError("Unpacking with * is not allowed", token.column, ALLOWED);
    }
    items.push(parseExpression(parser));
    if (take(parser, ",")) continue;
    if (take(parser, close)) break;
    const found = peek(parser);
    if (found.kind === "end") {
      throw new ExpressionError("The bracket is not closed", opened, `Close it with ${close}`);
    }
    throw unexpected(found, `"," or "${close}"`);
  }
  return items;
}
