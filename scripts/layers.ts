/** The lint plugin that holds the house's rules; `import-rules.ts` is the table of who may import whom. */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { folderOf, type Import, refusal } from "./import-rules.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

type Context = Deno.lint.RuleContext;
type Visitor = Deno.lint.LintVisitor;

const TIMERS = ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "fetch"];
const IMPURE_MEMBERS = ["Date.now", "Math.random", "performance.now"];

function pathOf(context: Context): string {
  return relative(ROOT, context.filename).replaceAll("\\", "/");
}

/** A rule that looks only at files of the shipped program for which `concerns` says yes. */
function rule(
  concerns: (path: string, folder: string) => boolean,
  visit: (report: (node: Deno.lint.Node, message: string) => void, path: string) => Visitor,
): Deno.lint.Rule {
  return {
    create(context) {
      const path = pathOf(context);
      const folder = folderOf(path);
      if (folder === undefined || !concerns(path, folder)) return {};
      return visit((node, message) => context.report({ node, message }), path);
    },
  };
}

const everywhere = () => true;
const inSweep = (_: string, folder: string) => folder === "sweep";
const notMain = (path: string) => path !== "main.ts";

const importDirection = rule(everywhere, (report, file) => {
  function check(node: Deno.lint.Node, source: string, kind: Import["kind"], asset = false) {
    const message = refusal({ file, source, kind, asset });
    if (message !== undefined) report(node, message);
  }
  return {
    ImportDeclaration(node) {
      const asset = (node.attributes?.length ?? 0) > 0;
      check(node, node.source.value, node.importKind === "type" ? "type" : "value", asset);
    },
    ExportNamedDeclaration(node) {
      if (!node.source) return;
      check(node, node.source.value, node.exportKind === "type" ? "type" : "value");
    },
    ImportExpression(node) {
      if (node.source.type === "Literal") check(node, String(node.source.value), "dynamic");
      else {report(
          node,
          "The path of import() must be a literal, so that rules and compiler see it",
        );}
    },
    TSImportType(node) {
      const { argument } = node as unknown as { argument: Deno.lint.Node };
      const path = nameOf(argument.type === "TSLiteralType" ? argument.literal : argument);
      if (path !== undefined) check(node, path, "type");
    },
  };
});

const pureSweep = rule(inSweep, (report) => {
  const refuse = (node: Deno.lint.Node, what: string) => report(node, `sweep/ is pure: no ${what}`);
  const asyncFunction = (node: Deno.lint.Node & { async?: boolean }) => {
    if (node.async) refuse(node, "async functions");
  };
  return {
    FunctionDeclaration: asyncFunction,
    FunctionExpression: asyncFunction,
    ArrowFunctionExpression: asyncFunction,
    AwaitExpression: (node) => refuse(node, "await"),
    ForOfStatement(node) {
      if (node.await) refuse(node, "await");
    },
    NewExpression(node) {
      const name = nameOf(node.callee);
      if (name === "Date" && node.arguments.length === 0) refuse(node, "new Date() without a time");
      if (name === "Promise") refuse(node, "promises");
    },
    CallExpression(node) {
      const name = nameOf(node.callee);
      if (name !== undefined && TIMERS.includes(name)) refuse(node, `${name}()`);
      if (name === "Date") refuse(node, "Date()");
    },
    MemberExpression(node) {
      const object = nameOf(node.object);
      const member = `${object}.${nameOf(node.property)}`;
      if (IMPURE_MEMBERS.includes(member)) refuse(node, member);
      if (object === "process") refuse(node, "process");
    },
  };
});

const runtimeNeutral = rule(everywhere, (report) => {
  const message = (name: string) =>
    `${name}.* ties the program to one runtime: use node: or the web's own`;
  return {
    MemberExpression(node) {
      const object = nameOf(node.object);
      const property = nameOf(node.property);
      for (const name of ["Deno", "Bun"]) {
        if (object === name || (object === "globalThis" && property === name)) {
          report(node, message(name));
        }
      }
    },
  };
});

const exitInMain = rule(notMain, (report) => ({
  MemberExpression(node) {
    if (nameOf(node.object) !== "process") return;
    const name = nameOf(node.property);
    if (name === "exit" || name === "exitCode") {
      report(node, `Only main.ts may use process.${name}: give the code back to it`);
    }
  },
  ImportDeclaration(node) {
    const exits = node.source.value === "node:process" &&
      node.specifiers.some((one) =>
        one.type === "ImportSpecifier" && nameOf(one.imported) === "exit"
      );
    if (exits) report(node, "Only main.ts may end the process");
  },
}));

const noConsole = rule(
  (path, folder) => folder !== "commands" && path !== "lib/base/log.ts",
  (report) => ({
    MemberExpression(node) {
      if (nameOf(node.object) === "console") {
        report(node, "No console here: take a terminal or a log");
      }
    },
  }),
);

const namedExports = rule(everywhere, (report) => ({
  ExportDefaultDeclaration: (node) =>
    report(node, "No default export: a name is found and renamed"),
  ExportAllDeclaration: (node) => report(node, "No barrel: import from the file that has it"),
  ExportSpecifier(node) {
    if (nameOf(node.exported) === "default") {
      report(node, "No default export: a name is found and renamed");
    }
  },
}));

const noModuleState = rule(everywhere, (report) => ({
  "Program > VariableDeclaration, Program > ExportNamedDeclaration > VariableDeclaration"(
    node: Deno.lint.VariableDeclaration,
  ) {
    if (node.kind === "let" || node.kind === "var") {
      report(node, "No module-level state: keep it in a createX()");
    }
    for (const { init } of node.declarations) {
      if (init && startsEmpty(init)) {
        report(node, "No module-level state: an empty collection gets filled");
      }
    }
  },
}));

const classesAreErrors = rule(everywhere, (report) => {
  function check(node: Deno.lint.ClassDeclaration | Deno.lint.ClassExpression) {
    if (!nameOf(node.superClass)?.endsWith("Error")) {
      report(node, "Only errors are classes: use createX() for things with state");
    }
  }
  return { ClassDeclaration: check, ClassExpression: check };
});

function startsEmpty(node: Deno.lint.Node): boolean {
  if (node.type === "ArrayExpression") return node.elements.length === 0;
  if (node.type !== "NewExpression" || node.arguments.length > 0) return false;
  return ["Map", "Set", "WeakMap", "WeakSet"].includes(nameOf(node.callee) ?? "");
}

function nameOf(node: Deno.lint.Node | null | undefined): string | undefined {
  if (node?.type === "Identifier") return node.name;
  return node?.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

export default {
  name: "layers",
  rules: {
    "import-direction": importDirection,
    "pure-sweep": pureSweep,
    "runtime-neutral": runtimeNeutral,
    "exit-in-main": exitInMain,
    "no-console": noConsole,
    "named-exports": namedExports,
    "no-module-state": noModuleState,
    "classes-are-errors": classesAreErrors,
  },
} satisfies Deno.lint.Plugin;
