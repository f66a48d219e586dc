/** A parameter's name without its Hydra prefix: `++model.lr` is `model.lr`. */
export function bareName(name: string): string {
  return name.replace(/^(\+\+|\+|~)/, "");
}
