/** A route with its values escaped: a name out of a file cannot lead elsewhere. */
export function route(fixed: TemplateStringsArray, ...values: readonly string[]): string {
  return String.raw({ raw: fixed }, ...values.map((value) => encodeURIComponent(value)));
}
