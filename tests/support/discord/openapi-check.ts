import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";

interface Operation {
  requestBody?: { content?: Record<string, { schema?: object }>; required?: boolean };
}

/** Checks requests against Discord's published description, where that file is. */
export interface OpenApiCheck {
  /** How many bodies were checked. */
  checked(): number;
  /** What is wrong with a request, in words; undefined: nothing, or it is not described. */
  check(method: string, path: string, body: unknown): string | undefined;
}

const PLACES = [
  process.env["HERD_DISCORD_OPENAPI"] ?? "",
  fileURLToPath(new URL("../../../../shared/discord/openapi.json", import.meta.url)),
  "/work/shared/discord/openapi.json",
];

export function openApiCheck(): OpenApiCheck | undefined {
  const place = PLACES.find((path) => path !== "" && existsSync(path));
  if (place === undefined) return undefined;
  const description = JSON.parse(readFileSync(place, "utf8"));
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: false });
  ajv.addSchema(description, "discord");
  const routes = Object.entries(description.paths as Record<string, Record<string, Operation>>).map(
    ([path, operations]) => ({
      path,
      operations,
      pattern: new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, "([^/]+)")}$`),
    }),
  )
    // `/users/@me` before `/users/{user_id}`.
    .sort((a, b) => a.path.split("{").length - b.path.split("{").length);
  let count = 0;

  return {
    checked: () => count,
    check(method, path, body) {
      const route = routes.find(({ pattern, operations }) =>
        pattern.test(path) && operations[method.toLowerCase()] !== undefined
      );
      if (route === undefined) return `${method} ${path} is in no line of Discord's description`;
      const operation = route.operations[method.toLowerCase()]!;
      const content = operation.requestBody?.content?.["application/json"];
      if (content?.schema === undefined) {
        return body === undefined ? undefined : `${method} ${route.path} takes no body`;
      }
      if (body === undefined) {
        return operation.requestBody?.required === true
          ? `${method} ${route.path} needs a body`
          : undefined;
      }
      count++;
      const pointer = [
        "paths",
        route.path,
        method.toLowerCase(),
        "requestBody",
        "content",
        "application/json",
        "schema",
      ].map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join(
        "/",
      );
      const validate = ajv.getSchema(`discord#/${pointer}`);
      if (validate === undefined) return `No schema for ${method} ${route.path}`;
      if (validate(body) === true) return undefined;
      const errors = (validate.errors ?? []).slice(0, 5).map((one) =>
        `${one.instancePath} ${one.message}`
      );
      return `${method} ${route.path}: ${errors.join("; ")}`;
    },
  };
}
