import { test } from "node:test";
import assert from "node:assert/strict";
import {
  evaluate,
  ExpressionError,
  holds,
  parseExpression,
} from "../../../lib/sweep/expression.ts";
import type { Value } from "../../../lib/sweep/value.ts";

const PARAMS: Record<string, Value> = {
  "lr": 0.1,
  "n": 3,
  "opt": "adam",
  "model": "resnet",
  "model.lr": 0.5,
  "layers.0.size": 64,
  "weight-decay": 0.01,
  "2fast": 7,
  "if": 8,
  "lambda": 9,
  "shape": [1, 2],
  "map": { a: 1 },
};

function value(source: string, params: Record<string, Value> = PARAMS): Value {
  return evaluate(parseExpression(source, Object.keys(params)), params);
}

function failure(source: string, params: Record<string, Value> = PARAMS): ExpressionError {
  try {
    value(source, params);
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  throw new Error(`${source} did not fail`);
}

const VALUES: readonly (readonly [string, Value])[] = [
  ["-2**2", -4],
  ["2**-1", 0.5],
  ["2**3**2", 512],
  ["(-2)**2", 4],
  ["-7 // 2", -4],
  ["-7 % 3", 2],
  ["7 % -3", -2],
  ["1 // 0.1", 9],
  ["0.3 % 0.1", 0.09999999999999998],
  ["not 1 == 2", true],
  ["1 < 2 < 3 > 1", true],
  ["1 < 3 < 2", false],
  ["0 or 'x'", "x"],
  ["'' and 1 / 0", ""],
  ["n if lr < 1 else 1 / 0", 3],
  ["1 if 0 else 2 if 0 else 3", 3],
  ["1 == True and 1 == 1.0", true],
  ["'1' == 1", false],
  ["'da' in opt and 'x' not in opt", true],
  ["n in (1, 2, 3)", true],
  ["(1,)", [1]],
  ["()", []],
  ["(1)", 1],
  ["[1, [2.5, 'a'],]", [1, [2.5, "a"]]],
  ["shape == [1, 2]", true],
  ["shape + [3]", [1, 2, 3]],
  ["'ab' * 2 + \"c\"", "ababc"],
  ["min(3, 1, 2) + max([4, 5])", 6],
  ["min('b', 'a')", "a"],
  ["0xff + 0o17 + 0b11 + 1_000", 1273],
  ["1if n else 2", 1],
  ["true and not false", true],
  ["null == None", true],
  ["model.lr * 2", 1],
  ["model + '!'", "resnet!"],
  ["layers.0.size", 64],
  ["`weight-decay` * 100", 1],
  ["`2fast` + `if`", 15],
  ["lambda", 9],
  ["map == map and 'a' in map", true],
  ["  lr\n  < 1  # a comment", true],
  ["'''a\nb'''", "a\nb"],
  ["r'\\n' + '\\x41\\u00e9\\101'", "\\nAéA"],
  ["-0.0", 0],
  ["'\uE000' < '\u{1F600}'", true],
  ["'\u{1F600}' < '\u{1F601}' and '\u{1F600}a' > '\u{1F600}'", true],
  ["1e300 * 10", 1e301],
  ["2.0**60", 2 ** 60],
];

for (const [source, wanted] of VALUES) {
  test(`${JSON.stringify(source)} is ${JSON.stringify(wanted)}`, () => {
    assert.deepEqual(value(source), wanted);
  });
}

const REFUSED: readonly (readonly [string, number, RegExp, RegExp?])[] = [
  ["", 1, /empty/],
  ["lr <", 5, /Expected a value, found the end/],
  ["lr lr", 4, /Expected an operator or the end, found "lr"/],
  ["lr < lrr", 6, /Unknown name "lrr"/, /Did you mean "lr"; available are/],
  ["model.lrr > 1", 1, /Unknown name "model.lrr"/, /Did you mean "model.lr"/],
  ["opt.upper", 1, /Unknown name "opt.upper"/, /Attributes are not allowed, and "opt" is/],
  ["weight-decay", 1, /Unknown name "weight"/, /`weight-decay` in backticks/],
  ["2fast", 1, /Invalid number "2fast"/, /backticks/],
  ["`nope`", 1, /Unknown name "nope"/],
  ["`lr", 1, /not closed/],
  ["1 + abs(lr)", 5, /Function "abs" is not allowed/, /min\(\.\.\.\) and max/],
  ["lr(1)", 3, /Parameter "lr" is not a function/],
  ["min(lr)(1)", 8, /Calls are not allowed/],
  ["min", 1, /"min" is not called/],
  ["min()", 1, /needs values/],
  ["min(a=1)", 6, /"=" is not allowed/, /keyword arguments/],
  ["max(*shape)", 5, /Unpacking/],
  ["shape[0]", 6, /Subscripts are not allowed/, /Allowed are parameters/],
  ["(lr).real", 5, /Attributes are not allowed/],
  ["[i for i in shape]", 4, /Comprehensions are not allowed/],
  ["f'{lr}'", 1, /f-strings/],
  ["b'x'", 1, /Bytes/],
  ["2j", 1, /Complex/],
  ["...", 1, /Ellipsis/],
  ["{1: 2}", 1, /Dictionaries and sets/],
  ["lr is None", 4, /"is" is not allowed/, /==/],
  ["n & 1", 3, /Bitwise/],
  ["n ^ 2", 3, /Bitwise/, /\*\*/],
  ["n << 2", 3, /Bitwise operators \("<<"\)/],
  ["n <> 2", 3, /"<>" is not allowed/],
  ["n @ 2", 3, /Matrix/],
  ["(n := 2)", 4, /Assignments/],
  ["n = 2", 3, /"=" is not allowed/, /"=="/],
  ["!n", 1, /"!" is not allowed/, /"not"/],
  ["n && lr", 3, /"&&" is not allowed/, /"and"/],
  ["n ? 1 : 2", 3, /"\?"/, /A if B else C/],
  ["n, lr", 2, /Unexpected ","/, /round brackets/],
  ["n if lr", 8, /Expected "else"/],
  ["(n", 1, /bracket is not closed/],
  ["[n", 1, /bracket is not closed/],
  ["(n]", 3, /Expected "," or "\)", found "\]"/],
  ["'abc", 1, /not closed/],
  ["007", 1, /Invalid number "007"/, /0o7/],
  ["1__0", 1, /Invalid number/],
  ["0x", 1, /Invalid number/],
  ["'\\xZZ'", 2, /Invalid escape/],
  ["lr\u0000", 3, /Unexpected character/],
  ["9007199254740992", 1, /too large/],
  ["1e999", 1, /too large/],
  ["lr / 0", 4, /Division by zero/],
  ["lr % 0.0", 4, /Division by zero/],
  ["0 ** -1", 3, /Zero has no negative power/],
  ["(-8) ** 0.5", 6, /fractional power/],
  ["opt + 1", 5, /Cannot calculate the string "adam" \+ the number 1/],
  ["'%d' % opt", 6, /"%d" needs a number, found the string "adam"/, /%s for text/],
  ["'%x' % 2.5", 6, /needs a whole number, found the number 2.5/],
  ["'%d-%d' % n", 9, /not enough values/, /round brackets/],
  ["'%d' % (n, n)", 6, /more values/],
  ["'run' % n", 7, /more values/],
  ["'%q' % n", 6, /Unknown format "%q"/, /%d %i/],
  ["'50%' % n", 7, /ends inside a "%"/],
  ["'%(n)d' % n", 9, /Keys in a format/, /in order/],
  ["'%5000d' % n", 10, /asks for too much: the width is at most 1000/],
  ["'%.200f' % n", 10, /the precision at most 80/],
  ["'%*d' % (1000000000, n)", 7, /asks for too much/],
  ["('%1000d' * 20) % ((n,) * 20)", 17, /too large: at most 10000/],
  ["-opt", 1, /Cannot apply "-" to the string "adam"/],
  ["opt < 1", 5, /Cannot compare the string "adam" < the number 1/],
  ["n in 5", 3, /Cannot look for the number 3 in the number 5/],
  ["1 in opt", 3, /Cannot look for/],
  ["min(1, 'a')", 1, /Cannot compare/],
  ["max([])", 1, /nothing/],
  ["'a' * 1.0", 5, /Cannot calculate/],
  ["9007199254740991 + n", 18, /too large/, /float/],
];

for (const [source, column, message, hint] of REFUSED) {
  test(`${JSON.stringify(source)} is refused at column ${column}`, () => {
    const error = failure(source);
    assert.match(error.message, message);
    assert.equal(error.column, column);
    if (hint !== undefined) assert.match(error.hint ?? "", hint);
  });
}

const BOMBS: readonly string[] = [
  "9**9**9",
  "9.0**9**9",
  "lr < 9**9**9",
  "2**9007199254740991",
  "'a' * 9007199254740991",
  "[0] * 9007199254740991",
  "'a' * 1000 * 1000",
  "[[[[0] * 100] * 100] * 100] * 100",
  "['aaaaaaaaaa' * 100] * 1000",
  "(".repeat(5000) + "1" + ")".repeat(5000),
  "[".repeat(5000) + "]".repeat(5000),
  "-".repeat(9000) + "1",
  "not ".repeat(2000) + "1",
  "2**".repeat(3000) + "2",
  "1 if 1 else ".repeat(800) + "1",
  "1+".repeat(4900) + "1",
  "1 < ".repeat(2000) + "1",
  "[" + "1,".repeat(4000) + "]",
  "'" + "a".repeat(20_000) + "'",
  " ".repeat(20_000),
];

test("bombs are refused at once, when the file is read", () => {
  const begun = performance.now();
  for (const bomb of BOMBS) {
    assert.throws(() => parseExpression(bomb, ["lr"]), ExpressionError, bomb.slice(0, 40));
  }
  const took = performance.now() - begun;
  assert.ok(took < 2000, `${took} ms`);
});

test("an expression as long as is allowed is evaluated without running out of stack", () => {
  assert.equal(value(`${"n+".repeat(499)}n`), 1500);
  assert.equal(value(`${"(".repeat(50)}n${")".repeat(50)}`), 3);
});

test("G.1.16: a run-time error that only some trials meet is an ExpressionError with a place", () => {
  const expression = parseExpression("1 / (n - 3)", ["n"]);
  assert.equal(evaluate(expression, { n: 4 }), 1);
  assert.throws(() => evaluate(expression, { n: 3 }), (error) => {
    return error instanceof ExpressionError && error.column === 3;
  });
});

test("a constant that is reached only sometimes does not stop the file from being read", () => {
  assert.equal(value("n if n else 1 / 0"), 3);
});

test("a parameter called min shadows the function, one called true the word", () => {
  assert.equal(value("min + 1", { min: 2 }), 3);
  assert.match(failure("min(1, 2)", { min: 2 }).message, /Parameter "min" is not a function/);
  assert.equal(value("true", { true: 5 }), 5);
  assert.equal(value("True", { True: 5 }), true);
});

test("names that every object has are no parameters", () => {
  assert.match(failure("constructor").message, /Unknown name "constructor"/);
  assert.match(failure("__proto__").message, /Unknown name "__proto__"/);
  const expression = parseExpression("toString", ["toString"]);
  assert.throws(() => evaluate(expression, {}), /"toString" has no value in this trial/);
});

test("a number from a file that is not finite does not come out of an expression", () => {
  assert.throws(() => value("lr", { lr: Infinity }), /not a finite number/);
  assert.throws(() => value("lr * 0", { lr: NaN }), /not a finite number/);
  assert.equal(value("lr > 1", { lr: NaN }), false);
});

test("a parsed expression is plain data and knows the parameters that it uses", () => {
  const expression = parseExpression("model.lr * 2 > n or 'a' in [opt, 1.5]", Object.keys(PARAMS));
  assert.deepEqual(expression.names, ["model.lr", "n", "opt"]);
  const copy = JSON.parse(JSON.stringify(expression));
  assert.equal(evaluate(copy, PARAMS), false);
  assert.equal(evaluate(copy, { ...PARAMS, opt: "a" }), true);
});

test("a condition holds by Python's truth", () => {
  for (const source of ["0", "0.0", "''", "[]", "()", "None", "False", "not 1"]) {
    assert.equal(holds(parseExpression(source, []), {}), false, source);
  }
  for (const source of ["1", "-0.5", "'0'", "[0]", "True"]) {
    assert.equal(holds(parseExpression(source, []), {}), true, source);
  }
});

test("a parameter's text that spells a number is that number where it meets one, and text beside text", () => {
  const params = { b: "32", c: "1e-3", label: "007", clip: "inf", lr: 0.001 };
  const value = (source: string) => evaluate(parseExpression(source, Object.keys(params)), params);
  const rows: readonly [string, Value][] = [
    ["b == 32", true],
    ["b != 32", false],
    ["32.0 == b", true],
    ["b == '32'", true],
    ["b in [16, 32]", true],
    ["b in ['16', '32']", true],
    ["b not in [32]", false],
    ["b in '16,32'", true],
    ["b >= 16 and b < 64", true],
    ["b * 2", 64],
    ["-b", -32],
    ["max(b, 5)", 32],
    ["min(b, 'x')", "32"],
    ["c == lr", true],
    ["b / c", 32000],
    ["b + 'x'", "32x"],
    ["'%s' % b", "32"],
    ["b", "32"],
    ["label == 7", false],
    ["label == '007'", true],
    ["clip > 1e300", true],
    ["clip == 'inf'", true],
    ["'32' == 32", false],
    ["('%d' % 32) == 32", false],
  ];
  for (const [source, wanted] of rows) assert.deepEqual(value(source), wanted, source);
});

test("a formatted name is what Python makes of it", () => {
  const params = { n: 7, lr: 0.1234567, s: "adam" };
  const value = (source: string) => evaluate(parseExpression(source, Object.keys(params)), params);
  assert.equal(value("'run_%d' % n"), "run_7");
  assert.equal(value("'%.2f' % lr"), "0.12");
  assert.equal(value("'%s-%s' % (s, n)"), "adam-7");
  assert.equal(
    value("'%05.1f%%|%-4d|%+.1e|%#x' % (lr * 100, n, lr, 255)"),
    "012.3%|7   |+1.2e-01|0xff",
  );
});
