// A caller of the generated types: it compiles only while the main path's operations keep their names and members.
// Unknown members and members of enumerations are nothing to TypeScript at run time; that they are handled is the
// reference client's part (mobile-contract/reference).
import createClient from "openapi-fetch";
import type { components, paths } from "service";

type Schemas = components["schemas"];

const client = createClient<paths>({ baseUrl: "http://127.0.0.1" });

export async function page(cursor: string): Promise<Schemas["ChangePage"] | Schemas["Problem"]> {
  const { data, error } = await client.GET("/v1/me/changes", { params: { query: { since: cursor } } });
  return data ?? error;
}

/** A value that came later than this app is shown as it is, never guessed. */
export function titleOf(item: Schemas["BookItem"]): string {
  switch (item.kind) {
    case "Immunization":
      return item.title;
    default:
      return `${item.title} (${item.status})`;
  }
}
