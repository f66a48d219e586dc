/**
 * A parsed expression as plain data that survives JSON: integers and floats are
 * told apart by `kind`, because in Python `2` and `2.0` differ (`"a" * 2`,
 * exactness) while JSON's numbers do not. Columns count from 1; a binary node's
 * column is its operator's, where the mistake is seen best.
 */
export type ExpressionNode =
  | { readonly kind: "int" | "float"; readonly value: number; readonly column: number }
  | {
    readonly kind: "constant";
    readonly value: string | boolean | null;
    readonly column: number;
  }
  | { readonly kind: "name"; readonly name: string; readonly column: number }
  | {
    readonly kind: "list";
    readonly items: readonly ExpressionNode[];
    readonly column: number;
    /** Written in round brackets. */
    readonly tuple?: true;
  }
  | {
    readonly kind: "call";
    readonly function: "min" | "max";
    readonly items: readonly ExpressionNode[];
    readonly column: number;
  }
  | {
    readonly kind: "unary";
    readonly operator: "+" | "-" | "not";
    readonly operand: ExpressionNode;
    readonly column: number;
  }
  | {
    readonly kind: "binary";
    readonly operator: Arithmetic;
    readonly left: ExpressionNode;
    readonly right: ExpressionNode;
    readonly column: number;
  }
  | {
    readonly kind: "and" | "or";
    readonly left: ExpressionNode;
    readonly right: ExpressionNode;
    readonly column: number;
  }
  /** `a < b <= c`: operands a, b, c and two links. */
  | {
    readonly kind: "compare";
    readonly first: ExpressionNode;
    readonly links: readonly Link[];
    readonly column: number;
  }
  | {
    readonly kind: "if";
    readonly test: ExpressionNode;
    readonly then: ExpressionNode;
    readonly otherwise: ExpressionNode;
    readonly column: number;
  };

export type Arithmetic = "+" | "-" | "*" | "/" | "//" | "%" | "**";

export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in";

export interface Link {
  readonly operator: Comparison;
  readonly operand: ExpressionNode;
  readonly column: number;
}

/** Nodes right below a node, in the order of evaluation. */
export function children(node: ExpressionNode): readonly ExpressionNode[] {
  switch (node.kind) {
    case "list":
    case "call":
      return node.items;
    case "unary":
      return [node.operand];
    case "binary":
    case "and":
    case "or":
      return [node.left, node.right];
    case "compare":
      return [node.first, ...node.links.map((link) => link.operand)];
    case "if":
      return [node.test, node.then, node.otherwise];
    default:
      return [];
  }
}
