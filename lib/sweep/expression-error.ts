/** What is wrong with an expression. `column` counts from 1 within the source, in UTF-16 units. */
export class ExpressionError extends Error {
  readonly column: number;
  readonly hint?: string;
  constructor(message: string, column: number, hint?: string) {
    super(message);
    this.name = "ExpressionError";
    this.column = column;
    if (hint !== undefined) this.hint = hint;
  }
}

/** Hint for whatever the language does not have. */
export const ALLOWED =
  "Allowed are parameters, numbers, strings, True, False, None, lists, tuples, + - * / // % **, " +
  "== != < <= > >=, in, not in, and, or, not, A if B else C, min(...) and max(...)";

/** The most characters and items that +, * and formatting may make. */
export const MAX_SIZE = 10_000;
