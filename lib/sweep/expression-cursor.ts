import { ALLOWED, ExpressionError } from "./expression-error.ts";
import type { Token } from "./expression-lexer.ts";
import type { ExpressionNode } from "./expression-tree.ts";

/** Far beyond what a person writes, and harmless to walk by recursion. */
const MAX_NODES = 1_000;
const MAX_DEPTH = 60;

/** A place among the tokens, and what was made of them so far. */
export interface Parser {
  readonly tokens: readonly Token[];
  at: number;
  nodes: number;
  depth: number;
}

export function peek(parser: Parser): Token {
  return parser.tokens[parser.at]!;
}

/** Steps over the next token if it is this word or sign. */
export function take(parser: Parser, text: string): boolean {
  const token = peek(parser);
  if ((token.kind !== "word" && token.kind !== "sign") || token.text !== text) return false;
  parser.at += 1;
  return true;
}

export function made(parser: Parser, node: ExpressionNode): ExpressionNode {
  parser.nodes += 1;
  if (parser.nodes > MAX_NODES) {
    throw new ExpressionError(
      `The expression has more than ${MAX_NODES} parts`,
      node.column,
      "Split it into several conditions",
    );
  }
  return node;
}

export function nested(parser: Parser, parse: () => ExpressionNode): ExpressionNode {
  parser.depth += 1;
  if (parser.depth > MAX_DEPTH) {
    throw new ExpressionError(
      `The expression is nested more than ${MAX_DEPTH} deep`,
      peek(parser).column,
      "Split it into several conditions",
    );
  }
  const node = parse();
  parser.depth -= 1;
  return node;
}

export function unexpected(token: Token, wanted: string, hint = ALLOWED): ExpressionError {
  const found = token.kind === "end" ? "the end" : JSON.stringify(token.text);
  return new ExpressionError(`Expected ${wanted}, found ${found}`, token.column, hint);
}
