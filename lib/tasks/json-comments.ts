/** What JSON5 adds and people use: comments, and a comma after the last item. Texts stay as they are. */
export function withoutComments(text: string): string {
  const bare = text.replace(
    /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (found) => found.startsWith('"') ? found : " ",
  );
  return bare.replace(
    /"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])/g,
    (found) => found.startsWith('"') ? found : "",
  );
}
